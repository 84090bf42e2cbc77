import { ACCESS, type AccessDeclaration, scopesDeclaration } from './access-metadata.js';
import { type Declaration, declaration } from './declaration.js';

/**
 * Lets only callers use a capability whose token was granted all of these OAuth scopes, in addition to what its class
 * and module require. Whoever lacks one does not find it in lists, and a call is refused with
 * `403 insufficient_scope`, which names all scopes that it needs: a client can then ask its user for them (step-up).
 * A scope is no secret; to keep from others that something exists, use `@RequireRoles()` or `@RequirePolicy()`.
 *
 * @throws Error at class definition when there is none, or one is no scope (RFC 6749, section 3.3)
 * @example
 * ```ts
 * @McpTool({ title: 'Refund an order' })
 * @RequireScopes('payments:refund')
 * refund(input: RefundInput): Promise<Receipt> { … }
 * ```
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#scope-challenge-handling
 */
export function RequireScopes(...scopes: string[]): Declaration {
  return declaration<AccessDeclaration>('RequireScopes', ACCESS, scopesDeclaration(scopes, '@RequireScopes()'));
}
