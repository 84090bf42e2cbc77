import { ALL, ALL_2025_06_18_ON, ALL_2025_11_25_ON, STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const AUTHORIZATION = page('2026-07-28', 'basic/authorization');
const DISCOVERY = page('2026-07-28', 'basic/authorization/authorization-server-discovery');
const CONSIDERATIONS = page('2026-07-28', 'basic/authorization/security-considerations');

/**
 * What the authorization framework asks of a protected server, which is an OAuth resource server and nothing else.
 * What it asks of clients and of authorization servers is theirs, and so is 2025-03-26's text on servers that issue
 * tokens themselves.
 */
export const authorization: readonly Requirement[] = [
  // Discovery
  {
    id: 'authorization/resource-metadata',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'Protected Resource Metadata (RFC 9728) is served.',
    link: `${DISCOVERY}#authorization-server-location`,
    tests: [
      'test/e2e/security/challenge.spec.ts#is at %s, for pages of any origin, with or without a token',
      'test/e2e/app/http.spec.ts#asks for tokens of the configured issuer, and says where to get them',
    ],
  },
  {
    id: 'authorization/resource-metadata-names-issuers',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'The metadata names at least one authorization server, and every one whose tokens are accepted.',
    link: `${DISCOVERY}#authorization-server-location`,
    tests: [
      'test/e2e/security/challenge.spec.ts#is at %s, for pages of any origin, with or without a token',
      'src/mcp/auth/protected-resource.spec.ts#describes the resource, without offline_access',
      'src/mcp/auth/oauth-settings.spec.ts#refuses %j',
    ],
  },
  {
    id: 'authorization/challenge-names-metadata',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'A 401 names the metadata by resource_metadata in WWW-Authenticate; 2025-06-18 leaves no other way.',
    link: `${DISCOVERY}#protected-resource-metadata-discovery-requirements`,
    tests: [
      'test/e2e/security/challenge.spec.ts#comes with every 401: $method $headers',
      'test/e2e/security/challenge.spec.ts#comes on %s of a session whose token went bad, and the session goes on',
    ],
  },
  {
    id: 'authorization/metadata-well-known',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'The metadata is found without a challenge too, at the well-known URIs of the endpoint and of the root.',
    link: `${DISCOVERY}#protected-resource-metadata-discovery-requirements`,
    tests: [
      'test/e2e/security/challenge.spec.ts#is at %s, for pages of any origin, with or without a token',
      'src/mcp/auth/protected-resource.spec.ts#of %s is at %s',
    ],
  },
  {
    id: 'authorization/metadata-resource-is-canonical',
    ...ALL_2025_06_18_ON,
    level: 'SHOULD',
    clause: 'The resource in the metadata is the canonical URI of the server: no fragment, no slash at its end.',
    link: `${AUTHORIZATION}#canonical-server-uri`,
    tests: [
      'src/mcp/auth/oauth-settings.spec.ts#refuses %j',
      'test/e2e/security/challenge.spec.ts#is at %s, for pages of any origin, with or without a token',
    ],
  },

  // Tokens
  {
    id: 'authorization/every-request',
    ...ALL,
    level: 'MUST',
    clause: 'Every HTTP request must carry a token, also where a session or an earlier request has shown one.',
    link: `${AUTHORIZATION}#token-requirements`,
    tests: [
      'test/e2e/security/sessions.spec.ts#learns of no session by %s',
      'test/e2e/security/challenge.spec.ts#comes on %s of a session whose token went bad, and the session goes on',
      'test/e2e/security/challenge.spec.ts#comes with every 401: $method $headers',
    ],
  },
  {
    id: 'authorization/token-in-header-only',
    ...ALL,
    level: 'MUST',
    clause: 'A token counts in the Authorization header alone; one in the query is never accepted.',
    link: `${AUTHORIZATION}#token-requirements`,
    tests: [
      'test/e2e/security/tokens.spec.ts#is refused in the address, which nothing of it comes back from',
      'test/e2e/security/tokens.spec.ts#counts for nothing in %s',
      'test/e2e/security/tokens.spec.ts#counts for nothing in a body of %s',
      'test/e2e/security/edge.spec.ts#with a token in the address is refused, and the token is not repeated: %s',
    ],
  },
  {
    id: 'authorization/token-validated',
    ...ALL,
    level: 'MUST',
    clause:
      'Access tokens are validated as OAuth 2.1, section 5.2 says: genuine, in force, of a known issuer, sufficient.',
    link: `${AUTHORIZATION}#token-handling`,
    tests: [
      'test/e2e/security/tokens.spec.ts#reaches no handler when it is forged',
      'test/e2e/security/tokens.spec.ts#is refused as alg "%s"',
      'test/e2e/security/tokens.spec.ts#is refused with the key of another issuer, under its own id or under one of this issuer',
      'test/e2e/security/tokens.spec.ts#is refused: %s',
      'test/e2e/security/tokens.spec.ts#%s is refused',
      'test/e2e/security/tokens.spec.ts#is its call and no more: a narrow token does, and the challenge names what a call needs',
      'src/mcp/auth/token-introspection.spec.ts#does not take a token with %s',
    ],
  },
  {
    id: 'authorization/audience-validated',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'A token that does not name this server in its audience is refused.',
    link: `${AUTHORIZATION}#token-handling`,
    tests: [
      'test/e2e/security/tokens.spec.ts#%s is refused',
      'test/e2e/security/tokens.spec.ts#list with this one is accepted',
      'src/mcp/auth/oauth.authenticator.spec.ts#takes one audience of several, and the one that the issuer has',
    ],
  },
  {
    id: 'authorization/only-own-tokens',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause:
      'Nothing but an access token for this server is accepted: no ID token, no assertion, no token for another API.',
    link: `${AUTHORIZATION}#token-handling`,
    tests: [
      'test/e2e/security/tokens.spec.ts#"%s" is refused',
      'test/e2e/security/tokens.spec.ts#%s is refused',
      'test/e2e/security/tokens.spec.ts#is refused when who issued it speaks of himself',
      'test/e2e/oauth/enterprise-managed.spec.ts#is refused: %s',
    ],
  },
  {
    id: 'authorization/validated-before-processing',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'Tokens are validated before anything of the request is processed; a refusal tells no data.',
    link: `${CONSIDERATIONS}#access-token-privilege-restriction`,
    tests: [
      'test/e2e/security/challenge.spec.ts#comes before the body is read',
      'test/e2e/security/challenge.spec.ts#repeats nothing of the token, nor of what was asked',
      'test/e2e/security/tokens.spec.ts#reaches no handler when it is forged',
      'test/e2e/policy/scopes.spec.ts#of strangers comes before anything is read where nothing is public',
    ],
  },
  {
    id: 'authorization/no-token-passthrough',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'The token of the caller is passed to no other API, nor handed to handlers that could.',
    link: `${CONSIDERATIONS}#access-token-privilege-restriction`,
    tests: [
      'test/e2e/security/secrets.spec.ts#find the token nowhere, nor what else could be taken for it',
      'test/e2e/security/secrets.spec.ts#find no opaque token either',
      'test/e2e/security/secrets.spec.ts#have no token sent anywhere on their behalf',
    ],
  },
  {
    id: 'authorization/tokens-not-kept',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'Tokens are stored securely: here not at all, but for a hash; in no log, session, audit entry or error.',
    link: `${CONSIDERATIONS}#token-theft`,
    tests: [
      'test/e2e/security/secrets.spec.ts#leaves no token, session id or argument in the log',
      'test/e2e/security/secrets.spec.ts#leaves none in the audit',
      'test/e2e/security/secrets.spec.ts#leaves no token and no argument in Redis',
      'src/mcp/auth/oauth.authenticator.spec.ts#says nothing of a token in errors and logs',
    ],
  },

  // Errors
  {
    id: 'authorization/status-codes',
    ...ALL,
    level: 'MUST',
    clause: '401 where a token lacks or is invalid, 403 where it does not suffice, 400 where the request is malformed.',
    link: `${AUTHORIZATION}#error-handling`,
    tests: [
      'test/e2e/security/challenge.spec.ts#comes with every 401: $method $headers',
      'test/e2e/security/tokens.spec.ts#is refused for its scopes at last, with 403 and what it needs',
      'test/e2e/security/tokens.spec.ts#are refused: %s',
      'test/e2e/security/tokens.spec.ts#is refused in the address, which nothing of it comes back from',
    ],
  },
  {
    id: 'authorization/invalid-token-401',
    ...ALL,
    level: 'MUST',
    clause: 'An invalid or expired token is answered with 401, and so is one that expires within a session.',
    link: `${AUTHORIZATION}#token-handling`,
    tests: [
      'test/e2e/security/tokens.spec.ts#%s is refused',
      'test/e2e/security/challenge.spec.ts#comes on %s of a session whose token went bad, and the session goes on',
      'test/e2e/oauth/machine-clients.spec.ts#gets another token when the first ends, and goes on with the same session',
    ],
  },
  {
    id: 'authorization/error-by-oauth',
    ...ALL,
    level: 'MUST',
    clause: 'Refusals follow OAuth 2.1, section 5.3: WWW-Authenticate with error, but none where no token was sent.',
    link: `${AUTHORIZATION}#token-handling`,
    tests: [
      'test/e2e/security/challenge.spec.ts#comes with every 401: $method $headers',
      'test/e2e/security/tokens.spec.ts#is asked for when the header says %s',
      'src/mcp/auth/bearer-challenge.spec.ts#says where the metadata is, and no error when there was no token',
      'src/mcp/auth/bearer-challenge.spec.ts#says what is wrong with a token',
    ],
  },
  {
    id: 'authorization/challenge-names-scope',
    ...ALL_2025_11_25_ON,
    level: 'SHOULD',
    clause: 'The challenge of a 401 names the scopes that every request needs; what one needs besides, a 403 says.',
    link: `${AUTHORIZATION}#scope-selection-strategy`,
    tests: [
      'test/e2e/security/challenge.spec.ts#comes with every 401: $method $headers',
      'src/mcp/auth/bearer-challenge.spec.ts#names the required scopes',
    ],
  },
  {
    id: 'authorization/scope-sets-consistent',
    ...ALL_2025_11_25_ON,
    level: 'SHOULD',
    clause: 'Scope sets are built alike everywhere: the same request is told the same scopes, in the same order.',
    link: `${AUTHORIZATION}#runtime-insufficient-scope-errors`,
    tests: [
      'src/mcp/auth/bearer-challenge.spec.ts#names all scopes that a request needs',
      'test/e2e/policy/scopes.spec.ts#is answered to %s by 403 and every scope that it needs',
    ],
  },
  {
    id: 'authorization/insufficient-scope',
    ...ALL_2025_11_25_ON,
    level: 'SHOULD',
    clause:
      'A token without the scopes is answered with 403 and error="insufficient_scope", scope and resource_metadata.',
    link: `${AUTHORIZATION}#runtime-insufficient-scope-errors`,
    tests: [
      'test/e2e/security/tokens.spec.ts#is its call and no more: a narrow token does, and the challenge names what a call needs',
      'test/e2e/policy/scopes.spec.ts#is answered before a stream begins, also of a tool that would stream at once',
      'test/e2e/policy/scopes.spec.ts#scopes and roles are those of the token, and the challenge says where to get another one',
    ],
  },
  {
    id: 'authorization/insufficient-scope-names-all',
    ...ALL_2025_11_25_ON,
    level: 'SHOULD',
    clause: 'One challenge names all scopes of the operation, those that the caller has included.',
    link: `${AUTHORIZATION}#runtime-insufficient-scope-errors`,
    tests: [
      'test/e2e/policy/scopes.spec.ts#is answered to %s by 403 and every scope that it needs',
      'src/mcp/auth/bearer-challenge.spec.ts#names all scopes that a request needs',
      'test/e2e/oauth/authorization-code.spec.ts#asks the person for the further scope that a tool needs, on top of those it has',
    ],
  },
  {
    id: 'authorization/scope-hierarchy',
    ...STATELESS,
    level: 'MUST',
    clause: 'A scope that implies another suffices for what the other allows.',
    link: `${AUTHORIZATION}#step-up-authorization-flow`,
    tests: [
      'test/e2e/security/tokens.spec.ts#is covered by a broader scope if that was configured',
      'test/e2e/security/tokens.spec.ts#is not covered by "%s"',
      'src/mcp/auth/scope-hierarchy.spec.ts#adds what a scope implies, over several steps and in circles',
    ],
  },
  {
    id: 'authorization/no-offline-access',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'offline_access is neither in a challenge nor in scopes_supported.',
    link: `${AUTHORIZATION}#refresh-tokens`,
    tests: ['src/mcp/auth/protected-resource.spec.ts#describes the resource, without offline_access'],
  },

  // Surroundings
  {
    id: 'authorization/https',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'Issuers, key sets, introspection and the resource are https, except on loopback; others stop the boot.',
    link: `${CONSIDERATIONS}#communication-security`,
    tests: [
      'src/mcp/auth/oauth-settings.spec.ts#refuses %j',
      'src/mcp/auth/oauth-settings.spec.ts#refuses an issuer with %j',
      'src/mcp/auth/issuer-metadata.spec.ts#does not take %s for an endpoint',
      'test/e2e/app/http.spec.ts#refuses to start on %j',
    ],
  },
  {
    id: 'authorization/no-authorization-proxy',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'No client is sent on to a third party under an id of the server: it serves no authorization endpoint.',
    link: `${CONSIDERATIONS}#confused-deputy-problem`,
    tests: ['test/e2e/security/tokens.spec.ts#is something else: %s is not here'],
  },
  {
    id: 'authorization/not-on-stdio',
    ...ALL,
    level: 'SHOULD',
    clause: 'Over stdio nobody is asked for a token; credentials come from the environment.',
    link: `${AUTHORIZATION}#protocol-requirements`,
    tests: [
      'test/e2e/policy/stdio.spec.ts#serves whoever started it, by what he may do',
      'test/e2e/policy/stdio.spec.ts#says which scopes are missing, without any of HTTP',
    ],
  },
];
