import type { Counter, Counts, Incident, PhaseName } from './ledger.js';

export interface SoakResult {
  readonly phases: ReadonlyMap<PhaseName, Counts>;
  /** Seconds that each phase took. */
  readonly seconds: ReadonlyMap<PhaseName, number>;
  readonly notes: readonly string[];
  /** The soak has failed if there are any. */
  readonly problems: readonly string[];
  readonly incidents: readonly Incident[];
  /** By process id. */
  readonly logs: ReadonlyMap<number, string>;
  readonly balancerLog: string;
}

const COLUMNS = [
  'requests',
  'calls',
  'progress',
  'notifications',
  'resumed',
  'relistened',
  'refused',
  'killed',
  'orphaned',
  'failed',
  'lost',
  'doubled',
  'reordered',
  'unordered',
  'missed',
] as const satisfies readonly Counter[];

const MAX_SHOWN = 30;

export function table(phases: SoakResult['phases'], seconds: SoakResult['seconds']): string {
  const rows = [
    ['phase', 'seconds', ...COLUMNS],
    ...[...phases].map(([phase, counts]) => [
      phase,
      (seconds.get(phase) ?? 0).toFixed(0),
      ...COLUMNS.map((column) => String(counts[column])),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) => row.map((cell, column) => cell[column === 0 ? 'padEnd' : 'padStart'](widths[column] ?? 0)).join('  '))
    .join('\n');
}

/** What people read at the end. */
export function summary({ phases, seconds, notes, problems, incidents, logs }: SoakResult): string {
  const unexcused = incidents.filter(({ kind }) => !EXCUSED.has(kind));
  return [
    '',
    table(phases, seconds),
    '',
    ...notes,
    ...complaints(logs).map(([line, count]) => `logged ${count} times: ${line}`),
    ...unexcused
      .slice(0, MAX_SHOWN)
      .map(({ at, phase, client, kind, detail }) => `${at} ${phase} ${client} ${kind}: ${detail}`),
    ...(unexcused.length > MAX_SHOWN ? [`... and ${unexcused.length - MAX_SHOWN} more`] : []),
    '',
    ...(problems.length > 0 ? ['FAILED', ...problems.map((problem) => `  ${problem}`)] : ['PASSED']),
  ].join('\n');
}

const EXCUSED = new Set(['refused', 'killed', 'missed', 'unordered']);
/** `[Nest] 123  - 11/21/2026, 2:30:00 PM   WARN [Mcp] text` */
const COMPLAINT = /^.*?\b(WARN|ERROR) (\[.*)$/;

/** The warnings and errors of all replicas, with how often each was logged. */
function complaints(logs: SoakResult['logs']): [line: string, count: number][] {
  const counts = new Map<string, number>();
  for (const log of logs.values()) {
    for (const line of log.split('\n')) {
      const [, level, text] = COMPLAINT.exec(line) ?? [];
      if (level && text) counts.set(`${level} ${text}`, (counts.get(`${level} ${text}`) ?? 0) + 1);
    }
  }
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, MAX_SHOWN);
}
