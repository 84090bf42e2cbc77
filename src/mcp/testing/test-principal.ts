/**
 * Who a test client calls as.
 *
 * @example
 * ```ts
 * app.client({ principal: { subject: 'ann', tenant: 'acme' }, scopes: ['payments:refund'] });
 * ```
 */
export interface TestPrincipal {
  /** Default `tester`. */
  readonly subject?: string;
  /** Default `test`. */
  readonly issuer?: string;
  /** OAuth client that acts for the subject. Default: none. */
  readonly client?: string;
  /** Default: none. */
  readonly tenant?: string;
  /** Default: none. */
  readonly roles?: readonly string[];
  /** Further claims of the credential. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Header in which a test client says who it calls as. */
export const TEST_PRINCIPAL_HEADER = 'x-rookery-test-principal';

/** The header's value: base64url of JSON. */
export function encodeTestPrincipal(principal: TestPrincipal, scopes: readonly string[]): string {
  return Buffer.from(JSON.stringify({ ...principal, scopes })).toString('base64url');
}
