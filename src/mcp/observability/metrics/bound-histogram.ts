import type { Metric, MetricObjectWithValues, MetricValue, Registry } from 'prom-client';

/** What one series of a histogram counts. Add to it by {@link HistogramSeries.observe}. */
export class HistogramSeries {
  /** Observations by bucket, not cumulative; the last one holds what is larger than all bounds. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(
    readonly labels: Readonly<Record<string, string>>,
    private readonly bounds: readonly number[],
  ) {
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    counts[bucket] = (counts[bucket] as number) + 1;
    this.sum += value;
    this.count += 1;
  }
}

export interface BoundHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending, without +Inf. */
  readonly buckets: readonly number[];
  readonly registry: Registry;
}

type Value = MetricValue<string> & { readonly metricName: string };

/**
 * A histogram for what happens with every request. Those of prom-client hash all labels for each observation, also
 * through `labels()`; here whoever observes keeps the series, so an observation is a few additions.
 */
export class BoundHistogram {
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly name: string;
  readonly help: string;
  private readonly buckets: readonly number[];
  private readonly all: HistogramSeries[] = [];

  constructor({ name, help, buckets, registry }: BoundHistogramOptions) {
    this.name = name;
    this.help = help;
    this.buckets = buckets;
    // A registry asks its metrics for no more than is here.
    registry.registerMetric(this as unknown as Metric);
  }

  /** A new series. To be kept: labels that come twice are two series of one name, which Prometheus refuses. */
  series(labels: Readonly<Record<string, string>>): HistogramSeries {
    const series = new HistogramSeries(labels, this.buckets);
    this.all.push(series);
    return series;
  }

  /** As prom-client's own metrics do it. */
  async get(): Promise<MetricObjectWithValues<Value>> {
    const { name, help, type, aggregator } = this;
    const values = this.all.flatMap((series) => this.valuesOf(series));
    return {
      name,
      help,
      type,
      aggregator,
      collect: () => undefined,
      values,
    } as unknown as MetricObjectWithValues<Value>;
  }

  private valuesOf({ labels, counts, sum, count }: HistogramSeries): Value[] {
    const metricName = `${this.name}_bucket`;
    let below = 0;
    const buckets = this.buckets.map((bound, i): Value => {
      below += counts[i] ?? 0;
      return { metricName, labels: { ...labels, le: bound }, value: below };
    });
    return [
      ...buckets,
      { metricName, labels: { ...labels, le: '+Inf' }, value: count },
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ];
  }
}
