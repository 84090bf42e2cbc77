import { readOnlySet } from '../protocol/read-only-set.js';
import type { Principal } from '../protocol/principal.js';
import type { IssuerSettings } from './issuer-settings.js';
import { isScopeToken, type ScopeHierarchy } from './scope-hierarchy.js';
import type { Claims } from './token-checks.js';
import { TokenRefusal } from './token-refusal.error.js';

/** What the principal says itself, or what was only of interest when the token was checked. */
const SPENT = [
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'active',
  'token_type',
  'client_id',
  'azp',
  'cid',
  'scope',
  'scp',
];

/** The last moment that a Date can hold, in epoch milliseconds. */
const LAST_DATE = 8_640_000_000_000_000;

export type PrincipalSettings = Pick<IssuerSettings, 'issuer' | 'tenantClaim' | 'rolesClaim'>;

/**
 * The principal that verified claims speak of.
 * @throws TokenRefusal when they name neither a subject nor a client, or a tenant that is no name
 */
export function principalOf(claims: Claims, settings: PrincipalSettings, scopes: ScopeHierarchy): Principal {
  const client = [claims['client_id'], claims['azp'], claims['cid']].find(isName);
  // RFC 9068 section 2.2: a client that acts for itself is its own subject; not every issuer says so.
  const subject = isName(claims['sub']) ? claims['sub'] : claims['sub'] === undefined ? client : undefined;
  if (subject === undefined) throw new TokenRefusal('subject');
  const { issuer, tenantClaim, rolesClaim } = settings;
  const tenant = tenantClaim === undefined ? undefined : claimAt(claims, tenantClaim);
  // Whose tenant cannot be read must not pass for someone without one.
  if (tenant !== undefined && !isName(tenant)) throw new TokenRefusal('tenant');
  const roles = readOnlySet(texts(claimAt(claims, rolesClaim)));
  const { exp } = claims;
  const spent = [...SPENT, tenantClaim, rolesClaim];
  return Object.freeze({
    issuer,
    subject,
    ...(client !== undefined && { client }),
    ...(tenant !== undefined && { tenant }),
    scopes: readOnlySet(scopes.expand(grantedScopes(claims))),
    ...(roles.size > 0 && { roles }),
    ...(typeof exp === 'number' && { expiresAt: Math.min(exp * 1_000, LAST_DATE) }),
    claims: deepFreeze(Object.fromEntries(Object.entries(claims).filter(([name]) => !spent.includes(name)))),
  });
}

/** RFC 6749 section 3.3 has one text, some issuers `scp`, as text or as list. */
function grantedScopes(claims: Claims): readonly string[] {
  const granted = claims['scope'] ?? claims['scp'];
  const scopes = typeof granted === 'string' ? granted.split(' ') : granted;
  return Array.isArray(scopes) ? scopes.filter(isScopeToken) : [];
}

/** The claim of that name, which may itself hold dots, else what is at the end of the path. */
function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Claims)[step];
  }
  return value;
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter(isName);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** The same claims serve many requests, so no handler may write into them. */
function deepFreeze<T extends object>(root: T): T {
  const rest: object[] = [root];
  for (let next = rest.pop(); next; next = rest.pop()) {
    Object.freeze(next);
    for (const value of Object.values(next))
      if (typeof value === 'object' && value !== null) rest.push(value as object);
  }
  return root;
}
