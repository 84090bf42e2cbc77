import type { Counter, Counts, PhaseName } from './ledger.js';

/** Zero in every phase, whatever happens to the cluster. */
const NEVER = ['failed', 'lost', 'doubled', 'reordered'] as const satisfies readonly Counter[];

/** What happens in one phase only. */
const ONLY_IN = { killed: 'kill', orphaned: 'kill', refused: 'redis', unordered: 'redis' } as const satisfies Partial<
  Record<Counter, PhaseName>
>;

/** Without these a phase shows nothing. */
const ALWAYS = ['calls', 'progress', 'notifications'] as const satisfies readonly Counter[];

/** What is wrong with the counts of a phase; empty if it passes. */
export function problemsOf(phase: PhaseName, counts: Counts): string[] {
  const problems: string[] = NEVER.filter((counter) => counts[counter] > 0).map(
    (counter) => `${phase}: ${counter} ${counts[counter]}`,
  );
  for (const [counter, where] of Object.entries(ONLY_IN) as [keyof typeof ONLY_IN, PhaseName][]) {
    if (phase !== where && counts[counter] > 0) problems.push(`${phase}: ${counter} ${counts[counter]}`);
  }
  if (phase === 'opening' || phase === 'closing') return problems;

  for (const counter of ALWAYS)
    if (counts[counter] === 0) problems.push(`${phase}: no ${counter}, so it shows nothing`);
  if (phase === 'kill' && counts.killed + counts.orphaned === 0) problems.push('kill: nothing was with the replica');
  if (phase === 'redis' && counts.refused === 0) problems.push('redis: nothing was refused, so it was never away');
  return problems;
}
