import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Goal } from '../scenarios/scenario.js';
import { type Bar, type Chart, barChart } from './chart.js';
import { ROOT } from './machine.js';
import type { Results } from './report.js';
import type { Row } from './rows.js';
import { type Cells, figureCells, goalCells, rowCells } from './tables.js';

const DOCUMENT = join(ROOT, 'docs/performance.md');
const CHARTS = join(ROOT, 'docs/performance');

/** Charts of what was measured, and its tables between the marks `<!-- name -->` and `<!-- /name -->` of the document. */
export function writeDocument(machine: Record<string, unknown>, results: Results): void {
  mkdirSync(CHARTS, { recursive: true });
  for (const [name, chart] of chartsOf(results)) writeFileSync(join(CHARTS, `${name}.svg`), barChart(chart));
  if (!existsSync(DOCUMENT)) return;
  let text = readFileSync(DOCUMENT, 'utf8');
  for (const [name, section] of sectionsOf(machine, results)) {
    const marked = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    text = text.replace(marked, (_all, before: string, after: string) => `${before}\n${section}\n\n${after}`);
  }
  writeFileSync(DOCUMENT, text);
}

function* sectionsOf(machine: Record<string, unknown>, results: Results): Generator<[string, string]> {
  const facts = Object.entries(machine).filter(([name, value]) => typeof value !== 'object' && name !== 'revision');
  yield ['machine', facts.map(([name, value]) => `- ${name}: ${String(value)}`).join('\n')];
  yield ['versions', versionsOf(machine['versions'] as Record<string, string>)];
  yield ['goals', markdown(allGoals(results).map(goalCells))];
  for (const [name, { rows, figures }] of Object.entries(results)) {
    const tables = [rows?.map(rowCells), figures?.map(figureCells)].filter((table) => table !== undefined);
    yield [name, tables.map(markdown).join('\n\n')];
  }
}

function versionsOf(versions: Record<string, string>): string {
  const peers = Object.entries(versions).filter(([name]) => name !== 'rookery');
  return peers.map(([name, version]) => `\`${name}\` ${version}`).join(', ') + '.';
}

function allGoals(results: Results): Goal[] {
  return Object.values(results).flatMap(({ goals }) => goals);
}

function markdown(rows: readonly Cells[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map((_, n) => (n === 0 ? '---' : '--:'))),
    ...rows.map((row) => line(columns.map((column) => String(row[column] ?? '')))),
  ].join('\n');
}

function* chartsOf({ calls, lists, sessions, progress, transports }: Results): Generator<[string, Chart]> {
  const ratios = (rows: readonly Row[]): Bar[] => bars(rows, ({ ratio }) => ratio, 2);
  if (calls?.rows) {
    const mark = { value: 0.85, text: 'goal 0.85' };
    yield ['calls', { title: 'tools/call, stateless: throughput, raw Fastify = 1', bars: ratios(calls.rows), mark }];
    const latencies = bars(calls.rows, ({ p99Ms }) => p99Ms, 0, ' ms');
    yield ['latency', { title: 'tools/call, stateless: p99 at 50 connections', bars: latencies }];
    const costs = bars(calls.rows, ({ cpuMicros }) => cpuMicros, 0, ' µs');
    yield ['cpu', { title: 'tools/call, stateless: CPU per call', bars: costs }];
  }
  if (sessions?.rows) {
    yield ['sessions', { title: 'tools/call in sessions: throughput, raw Fastify = 1', bars: ratios(sessions.rows) }];
  }
  if (lists?.rows) {
    const title = 'tools/list: throughput, Fastify sending the same bytes = 1';
    yield ['lists', { title, bars: ratios(lists.rows) }];
  }
  if (progress?.rows) {
    const title = 'tools/call with 20 progress events: throughput, SDK v1 in sessions = 1';
    yield ['progress', { title, bars: ratios(progress.rows) }];
  }
  if (transports?.rows) {
    const title = 'Transports: throughput, HTTP+SSE of 2024-11-05 = 1';
    yield ['transports', { title, bars: bars(transports.rows, ({ ratio }) => ratio, 1) }];
  }
}

function bars(rows: readonly Row[], pick: (row: Row) => number, digits: number, unit = ''): Bar[] {
  return rows.map((row) => ({
    label: row.name,
    value: pick(row),
    text: pick(row).toFixed(digits) + unit,
    isOurs: row.name.startsWith('Rookery'),
  }));
}
