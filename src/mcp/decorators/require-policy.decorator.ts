import { ACCESS, type AccessDeclaration, type PolicyToken } from './access-metadata.js';
import { type Declaration, declaration } from './declaration.js';

/**
 * Lets a policy of the team decide who may use a capability, in addition to what its class and module require.
 *
 * @param policy class or token of a provider that is an `AccessPolicy`; it must be a singleton. The application does
 *   not start without it.
 * @param options handed to the policy as they are
 * @example
 * ```ts
 * @McpTool({ title: 'Read a report' })
 * @RequirePolicy(SameTenant)
 * report(input: ReportInput): Promise<Report> { … }
 * ```
 */
export function RequirePolicy(policy: PolicyToken, options?: unknown): Declaration {
  // What is imported in a circle is not there yet when the decorator runs.
  if ((policy as PolicyToken | undefined) === undefined) {
    throw new Error(
      '@RequirePolicy() was given undefined. Import the policy from a file that does not import this one.',
    );
  }
  return declaration<AccessDeclaration>('RequirePolicy', ACCESS, { kind: 'policy', policy, options });
}
