import { ACCESS, type AccessDeclaration, rolesDeclaration } from './access-metadata.js';
import { type Declaration, declaration } from './declaration.js';

/**
 * Lets only callers use a capability who have at least one of these roles, in addition to what its class and module
 * require; two of these decorators must both be met. To everyone else it does not exist: it is in no list, and a call
 * is answered like one of something unknown.
 *
 * @throws Error at class definition when there is no role, or an empty one
 * @example
 * ```ts
 * @McpTool({ title: 'Close an account' })
 * @RequireRoles('support', 'admin')
 * close(input: CloseInput): Promise<void> { … }
 * ```
 */
export function RequireRoles(...roles: string[]): Declaration {
  return declaration<AccessDeclaration>('RequireRoles', ACCESS, rolesDeclaration(roles, '@RequireRoles()'));
}
