import { McpError } from './errors.js';

/** Tells a caller who is refused what to come back with (RFC 6750, section 3). */
export interface AccessChallenge {
  /** Nobody has said who is calling. */
  unauthorized(): McpError;
  /** @param scopes every scope that the operation needs, those that the caller has included */
  insufficientScope(scopes: readonly string[]): McpError;
}

/** For authenticators that say nothing of how to get a token. */
export const PLAIN_CHALLENGE: AccessChallenge = Object.freeze({
  unauthorized: () =>
    new McpError('UNAUTHORIZED', 'Authentication is required.', undefined, {
      headers: { 'www-authenticate': 'Bearer' },
    }),
  insufficientScope: (scopes: readonly string[]) =>
    new McpError('FORBIDDEN', `This needs the scopes: ${scopes.join(' ')}`, undefined, {
      headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scopes.join(' ')}"` },
    }),
});
