/** Something in a committed file that cannot be as it is where there are no containers. */
export interface Substitution {
  /** What is replaced, everywhere in the file. It must be there. */
  readonly what: string | RegExp;
  readonly by: string | ((...found: string[]) => string);
  readonly why: string;
}

/** Replaces in a text. @throws Error that names the substitution whose text is not there any more */
export function substitute(file: string, text: string, substitutions: readonly Substitution[]): string {
  return substitutions.reduce((now, { what, by, why }) => {
    const pattern = typeof what === 'string' ? what : new RegExp(what, 'gm');
    const next = now.replaceAll(pattern, typeof by === 'string' ? () => by : (...found) => by(...(found as string[])));
    if (next === now) throw new Error(`${file} does not hold ${String(what)}, which is replaced because ${why}.`);
    return next;
  }, text);
}

/** A substitution in a line, for people. */
export function inWords(file: string, { what, by, why }: Substitution): string {
  const replaced = typeof by === 'string' ? JSON.stringify(by) : 'what follows from it';
  return `${file}: ${typeof what === 'string' ? JSON.stringify(what) : String(what)} becomes ${replaced}, because ${why}`;
}
