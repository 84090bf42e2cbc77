/** What denies a use, as the audit and whoever watches are told. */
export type DenialRule =
  /** Nobody knows who is calling. */
  | 'authentication'
  /** A guard or handler said so, which say no more than that. */
  | 'forbidden'
  | 'session_not_found'
  /** Nothing was declared of it, and the server wants that. */
  | 'undeclared'
  /** There is no such thing. */
  | 'unknown'
  | `policy:${string}`
  | `roles:${string}`
  | `scopes:${string}`;

/** What stands before the colon. */
export type DenialKind = DenialRule extends infer R ? (R extends `${infer K}:${string}` ? K : R) : never;
