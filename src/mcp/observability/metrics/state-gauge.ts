import { Logger } from '@nestjs/common';
import { Gauge, type Registry } from 'prom-client';

/** A value, and the labels that it has. */
export type Sample = readonly [value: number, labels?: Readonly<Record<string, string>>];

export interface StateGaugeOptions {
  readonly registry: Registry;
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** Looks, when somebody scrapes. What is not known has no sample. */
  readonly read: () => readonly Sample[] | Promise<readonly Sample[]>;
}

const logger = new Logger('Metrics');

/** A gauge of something that is: read when it is scraped, and not kept. One that cannot be read is left out. */
export function stateGauge({ registry, name, help, labelNames = [], read }: StateGaugeOptions): void {
  let isFailing = false;
  const samples = async (): Promise<readonly Sample[]> => {
    try {
      const found = await read();
      isFailing = false;
      return found;
    } catch (error) {
      if (!isFailing) logger.error(`${name} cannot be read, and is left out.`, error);
      isFailing = true;
      return [];
    }
  };
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      const found = await samples();
      this.reset();
      // Without labels a reset leaves a 0.
      if (labelNames.length === 0) this.remove();
      for (const [value, labels] of found) this.set({ ...labels }, value);
    },
  });
}
