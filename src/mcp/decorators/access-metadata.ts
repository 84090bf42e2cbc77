import type { AccessPolicy } from '../protocol/access-policy.port.js';
import { readDeclarations } from './declaration.js';

/** Class or token under which Nest provides a policy. */
export type PolicyToken =
  (new (...args: never[]) => AccessPolicy) | (abstract new () => AccessPolicy) | symbol | string;

/** What one decorator says of who may use something. */
export type AccessDeclaration =
  | { readonly kind: 'public' }
  /** All of them. */
  | { readonly kind: 'scopes'; readonly scopes: readonly string[] }
  /** At least one of them. */
  | { readonly kind: 'roles'; readonly anyOf: readonly string[] }
  | { readonly kind: 'policy'; readonly policy: PolicyToken; readonly options: unknown };

export const ACCESS = 'rookery:access';

/** RFC 6749, section 3.3. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** @throws Error when there is none, or one is no scope of a resource */
export function scopesDeclaration(scopes: readonly string[], where: string): AccessDeclaration {
  // Whether to ask for a refresh token is no matter of what is used (2026-07-28 basic/authorization, "Refresh Tokens").
  const wrong = scopes.find((scope) => !SCOPE.test(scope) || scope === 'offline_access');
  if (scopes.length > 0 && wrong === undefined) return { kind: 'scopes', scopes: Object.freeze([...scopes]) };
  throw new Error(
    `${where}: ${JSON.stringify(wrong ?? scopes)} is no scope of a resource. Give one or more OAuth scopes.`,
  );
}

/** @throws Error when there is none, or one is empty */
export function rolesDeclaration(roles: readonly string[], where: string): AccessDeclaration {
  if (roles.length > 0 && !roles.includes('')) return { kind: 'roles', anyOf: Object.freeze([...roles]) };
  throw new Error(`${where} needs the names of one or more roles.`);
}

/** What a method, class or module declares; nothing if it says nothing. */
export function readAccess(holder: object, methodName?: string | symbol): readonly AccessDeclaration[] {
  return readDeclarations<AccessDeclaration>(ACCESS, holder, methodName);
}
