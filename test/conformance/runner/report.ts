import type { Scenario, Wire } from './plan.js';
import type { Verdict } from './verdict.js';

export interface Result extends Scenario {
  /** Required by the suite, or held to by this project besides. */
  readonly kind: 'required' | 'enforced';
  readonly verdict: Verdict;
}

export function passed({ verdict }: Result): boolean {
  return verdict.problems.length === 0;
}

/** The scenarios of one revision, each on a line, with what went wrong below it. */
function reportRevision(wire: Wire, results: readonly Result[], later: readonly string[]): string {
  return [
    `\n${wire}`,
    ...results.flatMap((result) => {
      const { name, kind, verdict } = result;
      const checks = `${verdict.successes} ${verdict.successes === 1 ? 'check' : 'checks'}`;
      return [
        `  ${passed(result) ? 'pass' : 'FAIL'}  ${name.padEnd(48)} ${kind.padEnd(8)}  ${checks}`,
        ...verdict.problems.map((problem) => `          ${problem}`),
        ...verdict.notes.map((note) => `          not checked: ${note}`),
      ];
    }),
    ...later.map((name) => `  later ${name.padEnd(48)} extension`),
  ].join('\n');
}

/** One text a revision, oldest first. */
export function reportRevisions(results: readonly Result[], later: ReadonlyMap<Wire, readonly string[]>): string[] {
  return wiresOf(results).map((wire) =>
    reportRevision(
      wire,
      results.filter((result) => result.wire === wire),
      later.get(wire) ?? [],
    ),
  );
}

/** How many scenarios of each revision were required, enforced besides, and passed. */
export function reportTotals(results: readonly Result[], later: ReadonlyMap<Wire, readonly string[]>): string {
  const share = (of: readonly Result[]) => `${of.filter(passed).length}/${of.length}`;
  const rows = wiresOf(results).map((wire) => {
    const own = results.filter((result) => result.wire === wire);
    const [required, enforced] = (['required', 'enforced'] as const).map((kind) =>
      share(own.filter((result) => result.kind === kind)),
    );
    return [wire, required, enforced, String(later.get(wire)?.length ?? 0)];
  });
  return [['revision', 'required', 'enforced', 'later'], ...rows]
    .map((row) =>
      row
        .map((cell) => (cell ?? '').padEnd(12))
        .join('')
        .trimEnd(),
    )
    .join('\n');
}

function wiresOf(results: readonly Result[]): Wire[] {
  return [...new Set(results.map(({ wire }) => wire))].sort();
}
