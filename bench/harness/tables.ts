import type { Figure, Goal } from '../scenarios/scenario.js';
import type { Row } from './rows.js';
import { withRange } from './statistics.js';

export type Cells = Readonly<Record<string, string | number>>;

export function rowCells(row: Row): Cells {
  return {
    '': row.name,
    'requests/s': row.perSecond.toFixed(0),
    ratio: withRange(row.ratio, row.ofStarts.ratio),
    'CPU µs': row.cpuMicros.toFixed(1),
    'CPU ratio': withRange(row.cpuRatio, row.ofStarts.cpuRatio),
    'p50 ms': row.p50Ms.toFixed(1),
    'p99 ms': row.p99Ms.toFixed(1),
    'p99 ratio': row.p99Ratio.toFixed(1),
    'RSS MiB': row.rssMiB.toFixed(0),
    busy: row.busy.toFixed(2),
    'load busy': row.loadBusy.toFixed(2),
  };
}

export function figureCells({ name, values }: Figure): Cells {
  return { '': name, ...values };
}

export function goalCells({ goal, measured, met }: Goal): Cells {
  return { goal, measured, met: met ? 'yes' : 'NO' };
}

/** Names to the left, figures to the right. */
export function asText(rows: readonly Cells[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (row: Cells, column: string): string => String(row[column] ?? '');
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => cell(row, column).length)));
  const line = (texts: readonly string[]): string =>
    texts.map((text, n) => (n === 0 ? text.padEnd(widths[n] ?? 0) : text.padStart(widths[n] ?? 0))).join('  ');
  return [line(columns), ...rows.map((row) => line(columns.map((column) => cell(row, column))))].join('\n');
}
