import type { Expectation } from './plan.js';

/** One check of a scenario, as the suite reports it. */
export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly description?: string;
  readonly errorMessage?: string;
  readonly details?: unknown;
}

export interface Verdict {
  /** Why the scenario has not passed; empty if it has. */
  readonly problems: readonly string[];
  readonly successes: number;
  /** What got no verdict, and why that is no problem. */
  readonly notes: readonly string[];
}

/**
 * Judges a scenario more strictly than the suite, for which warnings, skipped checks and scenarios that could test
 * nothing are fine.
 *
 * @param checks undefined if the suite reported none
 */
export function judge(checks: readonly Check[] | undefined, expectation: Expectation = {}): Verdict {
  if (!checks) return { problems: ['the suite did not run it, or reported nothing'], successes: 0, notes: [] };
  const succeeded = checks.filter(({ status }) => status === 'SUCCESS').map(({ id }) => id);
  const problems = checks.filter((check) => isProblem(check, expectation)).map(describeCheck);
  for (const id of expectation.required ?? []) {
    if (!succeeded.includes(id)) problems.push(`${id}: did not succeed, so nothing was tested`);
  }
  if (succeeded.length === 0 && problems.length === 0) problems.push('no check succeeded, so nothing was tested');
  return { problems, successes: succeeded.length, notes: notesOf(checks, expectation) };
}

function isProblem(check: Check, { records = [], unchecked = {} }: Expectation): boolean {
  if (JSON.stringify(check).includes('Not testable')) return true;
  switch (check.status) {
    case 'SUCCESS':
      return false;
    case 'INFO':
      return !records.includes(check.id) && !Object.hasOwn(unchecked, check.id);
    case 'FAILURE':
    case 'WARNING':
    case 'SKIPPED':
      return true;
    default:
      return isUnknown(check.status);
  }
}

/** A status that a later version of the suite may bring. */
function isUnknown(_status: never): true {
  return true;
}

function describeCheck({ id, status, errorMessage, description, details }: Check): string {
  const why = errorMessage ?? JSON.stringify(details) ?? description ?? '';
  return `${id}: ${status} ${why.slice(0, 500)}`.trim();
}

function notesOf(checks: readonly Check[], { unchecked = {} }: Expectation): string[] {
  const informed = checks.filter(({ status }) => status === 'INFO').map(({ id }) => id);
  return Object.entries(unchecked)
    .filter(([id]) => informed.includes(id))
    .map(([id, why]) => `${id}: ${why}`);
}
