import { safeText } from './log-redaction.js';

/** A line whose author answers for what is in it. */
export interface SafeLine {
  readonly msg?: string;
  readonly [field: string]: string | number | boolean | undefined;
}

/** Not a field: what comes from elsewhere could have it too. */
const safeLines = new WeakSet<object>();

/**
 * Marks a line that comes with every request, and whose values are from closed sets, or went through {@link safeName}
 * or the redaction before. It is written as it is, also under names that are the log's own.
 */
export function asSafeLine<L extends { readonly [K in keyof L]?: SafeLine[string] }>(line: L): L {
  safeLines.add(line);
  return line;
}

export function isSafeLine(value: unknown): value is SafeLine {
  return typeof value === 'object' && value !== null && safeLines.has(value);
}

/** More names than most servers have; those beyond are looked through each time. */
const MAX_NAMES = 1_000;
const names = new Map<string, string>();

/** A name that is registered, and so comes again and again, as it may stand in a log. */
export function safeName(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const safe = safeText(name, 500);
  if (names.size < MAX_NAMES) names.set(name, safe);
  return safe;
}
