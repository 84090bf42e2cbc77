import { Histogram, Registry, collectDefaultMetrics, register } from 'prom-client';

/** One of the metrics of the process, which a process can collect only once. */
const A_DEFAULT_METRIC = 'process_cpu_seconds_total';

const GC_KINDS = ['minor', 'major', 'incremental', 'weakcb'];

/**
 * Collects `process_*` and `nodejs_*` into prom-client's own registry, unless somebody has: another application of the
 * process, or a team's PrometheusModule. A name that somebody else has stays his.
 */
export function collectProcessMetrics(): void {
  if (register.getSingleMetric(A_DEFAULT_METRIC)) return;
  const collected = new Registry();
  collectDefaultMetrics({ register: collected });
  const gc = collected.getSingleMetric('nodejs_gc_duration_seconds');
  // Else its series come one by one, as the collector happens to run.
  if (gc instanceof Histogram) for (const kind of GC_KINDS) gc.zero({ kind });
  for (const { name } of collected.getMetricsAsArray()) {
    const metric = collected.getSingleMetric(name);
    if (metric && !register.getSingleMetric(name)) register.registerMetric(metric);
  }
}
