type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

interface Family {
  readonly type: string;
  readonly help: string;
  /** Of its series, without `le` and `quantile`. */
  readonly labels: ReadonlySet<string>;
}

/** What `/metrics` said at one time. */
export class Scrape {
  readonly series: readonly Series[];

  private constructor(
    readonly text: string,
    readonly response: Response,
  ) {
    this.series = text.split('\n').flatMap(seriesOf);
  }

  /** @param url of the application; its `/metrics` is asked */
  static async of(url: string, path = '/metrics'): Promise<Scrape> {
    const response = await fetch(new URL(path, url));
    return new Scrape(await response.text(), response);
  }

  /** The sum of all series of a name that have these labels; undefined if there are none. */
  value(name: string, labels: Labels = {}): number | undefined {
    const found = this.series.filter(
      (series) =>
        series.name === name && Object.entries(labels).every(([label, value]) => series.labels[label] === value),
    );
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }

  /** Names and labels of all series, without their values. */
  get identities(): string[] {
    return this.series.map(({ name, labels }) => `${name}${JSON.stringify(labels)}`).sort();
  }

  get families(): ReadonlyMap<string, Family> {
    const families = new Map<string, Family>();
    for (const [, name = '', help = ''] of this.text.matchAll(/^# HELP (\S+) (.*)$/gm)) {
      const [, type = ''] = new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(this.text) ?? [];
      const own = type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
      const labels = this.series
        .filter((series) => own.includes(series.name))
        .flatMap((series) => Object.keys(series.labels));
      families.set(name, {
        type,
        help,
        labels: new Set(labels.filter((label) => label !== 'le' && label !== 'quantile')),
      });
    }
    return families;
  }
}

function seriesOf(line: string): Series[] {
  const [, name, labels = '', value] = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
  if (name === undefined) return [];
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, text]);
  return [{ name, labels: Object.fromEntries(pairs) as Labels, value: Number(value) }];
}
