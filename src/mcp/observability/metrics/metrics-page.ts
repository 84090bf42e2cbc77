import { Logger } from '@nestjs/common';
import { Registry, register } from 'prom-client';
import { within } from '../../protocol/within.js';

/** Milliseconds that a metric has to be collected: less than the 10 seconds of Prometheus, so that the others arrive. */
const COLLECT_MS = 3_000;

type AnyMetric = ReturnType<Registry['getMetricsAsArray']>[number];

/**
 * What `/metrics` answers: the metrics of this application, and those that teams have in prom-client's own registry. One
 * that cannot be collected, or not in time, costs itself alone.
 */
export class MetricsPage {
  /** Of this application alone, however many the process has. */
  readonly registry = new Registry();
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  private readonly logger = new Logger('Metrics');
  private rendering: Promise<string> | undefined;
  /** What runs is waited for again, not begun again. */
  private readonly running = new WeakMap<AnyMetric, Promise<string>>();
  private readonly failing = new WeakSet<AnyMetric>();
  private readonly hidden = new WeakSet<AnyMetric>();

  /**
   * @param path where it is served, such as `/metrics`; false if others serve what is in `shared`
   * @param shared registry of the application that the metrics are put into
   */
  constructor(
    readonly path: string | false,
    readonly shared?: Registry,
  ) {}

  /**
   * Puts the metrics of this application where others serve them.
   * @throws Error when one of that name is there
   */
  share(): void {
    const { shared } = this;
    if (!shared) return;
    const ours = this.registry.getMetricsAsArray();
    const taken = ours.find(({ name }) => shared.getSingleMetric(name));
    if (taken) {
      throw new Error(
        `There is a metric ${taken.name} already in the registry that McpMetricsModule was given. Rename it, or, if it ` +
          'is of another application of this process, give each application a registry of its own.',
      );
    }
    for (const { name } of ours) {
      const metric = this.registry.getSingleMetric(name);
      if (metric) shared.registerMetric(metric);
    }
  }

  /** Takes them away again. */
  unshare(): void {
    for (const { name } of this.registry.getMetricsAsArray()) {
      if (this.shared?.getSingleMetric(name) === this.registry.getSingleMetric(name))
        this.shared?.removeSingleMetric(name);
    }
  }

  /** All that there is, in the text format of Prometheus 0.0.4. Those who ask at the same time get the same. */
  text(): Promise<string> {
    this.rendering ??= this.render().finally(() => (this.rendering = undefined));
    return this.rendering;
  }

  private async render(): Promise<string> {
    const metrics = new Map<string, Promise<string | undefined>>();
    for (const registry of new Set<Registry>([this.shared ?? this.registry, register])) {
      for (const metric of registry.getMetricsAsArray()) {
        const { name } = metric;
        if (metrics.has(name)) this.hide(metric);
        else metrics.set(name, this.textOf(metric, registry));
      }
    }
    const texts = await Promise.all(metrics.values());
    return `${texts.filter((text) => text !== undefined).join('\n\n')}\n`;
  }

  private async textOf(metric: AnyMetric, registry: Registry): Promise<string | undefined> {
    try {
      const text = await within(COLLECT_MS, this.collect(metric, registry), () => {
        throw new Error(`It takes longer than ${COLLECT_MS} ms.`);
      });
      this.failing.delete(metric);
      return text;
    } catch (error) {
      if (!this.failing.has(metric)) this.logger.error(`${metric.name} cannot be collected, and is left out.`, error);
      this.failing.add(metric);
      return undefined;
    }
  }

  private collect(metric: AnyMetric, registry: Registry): Promise<string> {
    const running = this.running.get(metric);
    if (running) return running;
    const text = registry.getSingleMetricAsString(metric.name).finally(() => this.running.delete(metric));
    this.running.set(metric, text);
    return text;
  }

  /** Prometheus refuses a page that has a name twice. */
  private hide(metric: AnyMetric): void {
    if (this.hidden.has(metric)) return;
    this.hidden.add(metric);
    this.logger.warn(`There is another metric ${metric.name}, which is left out. Rename it.`);
  }
}
