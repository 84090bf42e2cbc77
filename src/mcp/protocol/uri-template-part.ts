/** How far a value may reach: to the end of its path segment, to the end of the path, or to the end of the URI. */
export type ValueReach = 'segment' | 'path' | 'uri';

/** A variable that must be there. */
export interface ValuePart {
  readonly kind: 'value';
  readonly name: string;
  readonly reach: ValueReach;
  /** The value ends at the first occurrence of this text, which another value follows; else where its reach ends. */
  readonly until?: string;
  /** How many characters of the text after the value lie within its reach: they are taken off its end. */
  readonly tail: number;
}

/** Named values, each of which may be missing, in any order. */
export interface PairsPart {
  readonly kind: 'pairs';
  readonly prefix: '?' | '&' | ';';
  readonly names: readonly string[];
}

export interface FragmentPart {
  readonly kind: 'fragment';
  readonly name: string;
}

export interface LiteralPart {
  readonly kind: 'literal';
  readonly text: string;
}

/** What a URI template is made of. Two literals never meet. */
export type UriTemplatePart = LiteralPart | ValuePart | PairsPart | FragmentPart;

/** The characters that end a value, by its reach. A client must percent-encode them within one (RFC 6570, 3.2.1). */
export const VALUE_STOPS: Readonly<Record<ValueReach, string>> = { segment: '/?#&,;', path: '?#', uri: '' };

/** The characters that end a group of pairs (RFC 3986, sections 3.3 and 3.4). */
export const PAIRS_STOPS: Readonly<Record<PairsPart['prefix'], string>> = { '?': '#', '&': '#', ';': '/?#' };

/** The character between two pairs. */
export const PAIRS_SEPARATOR: Readonly<Record<PairsPart['prefix'], string>> = { '?': '&', '&': '&', ';': ';' };
