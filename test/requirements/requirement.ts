/** One behaviour that the specification asks of a server, and the tests that hold us to it. */
export interface Requirement {
  /** `<area>/<behaviour>`, kebab case. Stable: tests and issues cite it. */
  readonly id: string;
  readonly era: 'stateless' | 'session' | 'both';
  /** The revisions whose text asks for it, oldest first. */
  readonly revisions: readonly Revision[];
  /** The specification's keyword; a MUST NOT counts as MUST. A rule stated without a keyword takes the fitting one. */
  readonly level: 'MUST' | 'SHOULD' | 'MAY';
  /** What the server does, in our own words. */
  readonly clause: string;
  /** Where the specification says so. */
  readonly link: string;
  /** `<file>#<test title>`, the file relative to the repository root, or `conformance:<scenario>`. */
  readonly tests: readonly string[];
}

export type Revision = '2025-03-26' | '2025-06-18' | '2025-11-25' | '2026-07-28';

type Scope = Pick<Requirement, 'era' | 'revisions'>;

export const STATELESS: Scope = { era: 'stateless', revisions: ['2026-07-28'] };

export const SESSION: Scope = { era: 'session', revisions: ['2025-03-26', '2025-06-18', '2025-11-25'] };
export const SESSION_2025_03_26: Scope = { era: 'session', revisions: ['2025-03-26'] };
export const SESSION_2025_06_18_ON: Scope = { era: 'session', revisions: ['2025-06-18', '2025-11-25'] };
export const SESSION_2025_11_25: Scope = { era: 'session', revisions: ['2025-11-25'] };

export const ALL: Scope = { era: 'both', revisions: ['2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'] };
export const ALL_2025_06_18_ON: Scope = { era: 'both', revisions: ['2025-06-18', '2025-11-25', '2026-07-28'] };
export const ALL_2025_11_25_ON: Scope = { era: 'both', revisions: ['2025-11-25', '2026-07-28'] };

/** Address of a page of the specification; append `#<anchor>`. */
export function page(revision: Revision, path: string): string {
  return `https://modelcontextprotocol.io/specification/${revision}/${path}`;
}
