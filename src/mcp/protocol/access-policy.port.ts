import type { Principal } from './principal.js';

/** What a policy is asked about. */
export interface AccessRequest<Options = unknown> {
  readonly principal: Principal;
  /**
   * `see`: may the caller know that it exists? Asked for lists, subscriptions and, first of all, for every use.
   * `use`: may it be used now, with these arguments? Asked when it may be seen.
   */
  readonly action: 'see' | 'use';
  readonly kind: 'tool' | 'resource' | 'template' | 'prompt' | 'completion';
  /** Name of the tool or prompt, URI of the resource, template of the template. */
  readonly name: string;
  /** What the caller sent, not validated yet; for `use` alone. For a template, read or subscribed to, its variables. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** What `@RequirePolicy(Policy, options)` was given. */
  readonly options: Options;
}

/**
 * A team's own decision on who may use what: by attributes, tenant, time, or by asking a policy engine.
 *
 * A policy that throws, or has not answered after ten seconds, denies. One that says no to `see` hides the capability as if it did not exist; one that says no
 * to `use` alone refuses the call with `FORBIDDEN`.
 *
 * @example
 * ```ts
 * @Injectable()
 * export class SameTenant implements AccessPolicy {
 *   allows({ action, principal, arguments: given }: AccessRequest): boolean {
 *     return action === 'see' || (principal.tenant !== undefined && given?.['tenant'] === principal.tenant);
 *   }
 * }
 * ```
 */
export interface AccessPolicy<Options = unknown> {
  allows(request: AccessRequest<Options>): boolean | Promise<boolean>;
}

/** Provide it to have one policy asked about everything that is not `@Public()`, besides what decorators require. */
export const AccessPolicy = Symbol('AccessPolicy');
