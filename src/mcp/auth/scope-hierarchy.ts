/** RFC 6749 section 3.3: one or more of the visible characters but `"` and `\`. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

export function isScopeToken(value: unknown): value is string {
  return typeof value === 'string' && SCOPE_TOKEN.test(value);
}

/** Which scopes a broader scope implies, over any number of steps; circles do no harm. */
export class ScopeHierarchy {
  private readonly closures = new Map<string, ReadonlySet<string>>();

  /** @param implies narrower scopes of each broader one */
  constructor(implies: Readonly<Record<string, readonly string[]>> = {}) {
    const direct = new Map(Object.entries(implies));
    for (const scope of direct.keys()) this.closures.set(scope, closureOf(scope, direct));
  }

  /** The granted scopes and all that they imply. */
  expand(granted: Iterable<string>): Set<string> {
    const scopes = new Set<string>();
    for (const scope of granted) {
      scopes.add(scope);
      for (const implied of this.closures.get(scope) ?? []) scopes.add(implied);
    }
    return scopes;
  }
}

function closureOf(scope: string, direct: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const closure = new Set([scope]);
  // A set visits what is added to it on the way.
  for (const reached of closure) for (const next of direct.get(reached) ?? []) closure.add(next);
  return closure;
}
