import { safeText } from './log-redaction.js';

/**
 * A line that comes with every request, and whose values are from closed sets, or went through {@link safeName} or the
 * redaction before. It is written as it is, also under names that are the log's own.
 *
 * What makes it safe is that it is of this class. A field could be there on what comes from elsewhere too.
 */
export class SafeLine {
  declare msg?: string;
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
