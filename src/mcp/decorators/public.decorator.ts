import { ACCESS, type AccessDeclaration } from './access-metadata.js';
import { type Declaration, declaration } from './declaration.js';

/**
 * Lets everyone use a capability, callers without credentials included, whatever its class or module requires. On a
 * class or module: all in it, but for what requires something itself.
 *
 * @example
 * ```ts
 * @McpTool({ title: 'Opening hours' })
 * @Public()
 * hours(): string {
 *   return this.shop.hours();
 * }
 * ```
 */
export function Public(): Declaration {
  return declaration<AccessDeclaration>('Public', ACCESS, Object.freeze({ kind: 'public' }));
}
