import {
  type AccessDeclaration,
  type PolicyToken,
  rolesDeclaration,
  scopesDeclaration,
} from '../decorators/access-metadata.js';
import type { AccessPolicy } from '../protocol/access-policy.port.js';

/** A policy, and what it is told at each use. */
export interface PolicyUse {
  /** For the audit and for messages to developers. */
  readonly name: string;
  readonly policy: AccessPolicy;
  readonly options: unknown;
}

/** Who may use a capability: all that its module, its class and its method require, compiled at boot. */
export interface AccessRule {
  /** Equal for rules that say the same, whatever their policies say; those with policies differ from those without. */
  readonly key: string;
  /** `everyone`: decorated as public. `undeclared`: nothing was said, so the server's default holds. */
  readonly kind: 'everyone' | 'undeclared' | 'restricted';
  /** All of them are needed. */
  readonly scopes: readonly string[];
  /** Of each, one role is needed. */
  readonly roles: readonly (readonly string[])[];
  readonly policies: readonly PolicyUse[];
}

/** Who may use a capability that is added at runtime. Default: whoever the server lets in. */
export interface AccessOptions {
  /** True for everyone, callers without credentials included. */
  readonly public?: boolean;
  /** OAuth scopes, all of which are needed. */
  readonly scopes?: readonly string[];
  /** Roles, one of which is needed. */
  readonly roles?: readonly string[];
  /** All of them must agree. */
  readonly policies?: readonly AccessPolicy[];
}

type ResolvePolicy = (token: PolicyToken) => AccessPolicy;

/**
 * @param levels what module, class and method declare, the outermost first
 * @throws Error when a level contradicts itself, or there is no such policy
 */
export function compileAccess(
  levels: readonly (readonly AccessDeclaration[])[],
  resolvePolicy: ResolvePolicy,
  origin: string,
): AccessRule {
  if (levels.some((level) => level.some(isPublic) && !level.every(isPublic))) {
    throw new Error(`${origin} is @Public() and requires something at the same time. Keep one of the two.`);
  }
  // Public is what the innermost level that says anything makes public. Otherwise all requirements hold, also those
  // from around a level that is public: it cannot have meant what is required within it.
  const innermost = levels.findLast((level) => level.length > 0) ?? [];
  return ruleOf(innermost.some(isPublic) ? innermost : levels.flat().filter((each) => !isPublic(each)), resolvePolicy);
}

/**
 * A list that is there but empty is an error: somebody meant to require something.
 * @throws Error when they contradict themselves, or a value cannot be
 */
export function accessFromOptions(options: AccessOptions = {}, origin = ''): AccessRule {
  const { scopes, roles, policies } = options;
  const where = `${origin}: access`;
  const wrong = policies && (policies.length === 0 || policies.some((policy) => !isPolicy(policy)));
  if (wrong) throw new Error(`${where}.policies: give one or more objects with a method allows(), or leave it out.`);
  const declared: AccessDeclaration[] = [
    ...(options.public ? [{ kind: 'public' } as const] : []),
    ...(scopes ? [scopesDeclaration(scopes, `${where}.scopes`)] : []),
    ...(roles ? [rolesDeclaration(roles, `${where}.roles`)] : []),
    ...(policies ?? []).map((_, index) => ({ kind: 'policy', policy: String(index), options: undefined }) as const),
  ];
  return compileAccess([declared], (token) => policies?.[Number(token)] as AccessPolicy, origin);
}

function isPolicy(value: unknown): value is AccessPolicy {
  return typeof (value as Partial<AccessPolicy> | null | undefined)?.allows === 'function';
}

function ruleOf(declared: readonly AccessDeclaration[], resolvePolicy: ResolvePolicy): AccessRule {
  const scopes = new Set<string>();
  const roles: (readonly string[])[] = [];
  const policies: PolicyUse[] = [];
  for (const declaration of declared) {
    switch (declaration.kind) {
      case 'public':
        break;
      case 'scopes':
        for (const scope of declaration.scopes) scopes.add(scope);
        break;
      case 'roles':
        roles.push(declaration.anyOf);
        break;
      case 'policy': {
        const policy = resolvePolicy(declaration.policy);
        policies.push({ name: policy.constructor.name, policy, options: declaration.options });
      }
    }
  }
  const kind = declared.length === 0 ? 'undeclared' : declared.every(isPublic) ? 'everyone' : 'restricted';
  const sorted = [...scopes].sort();
  const key = JSON.stringify([kind, sorted, roles, policies.length > 0]);
  return Object.freeze({ key, kind, scopes: sorted, roles, policies });
}

function isPublic({ kind }: AccessDeclaration): boolean {
  return kind === 'public';
}
