import type { IssuerSettings } from './issuer-settings.js';
import { TokenRefusal } from './token-refusal.error.js';

/** RFC 9068 section 2.1 and RFC 7519 section 5.1; anything else names a kind of its own (RFC 8725 section 3.11). */
const ACCESS_TOKEN_TYPE = 'at+jwt';
const PLAIN_TYPE = 'jwt';

/** How issuers without RFC 9068 name access tokens: Keycloak in `typ`, Amazon Cognito in `token_use`. */
const PAYLOAD_KINDS: readonly unknown[] = [undefined, 'access', 'access_token', 'bearer', 'at+jwt', 'jwt'];
/** Of the introspection response (RFC 7662 section 2.2); a refresh token may be active as well. */
const TOKEN_TYPES: readonly unknown[] = [undefined, 'bearer', 'access_token'];

/**
 * Claims that other tokens carry and access tokens don't: ID tokens (OpenID Connect Core 2, 3.1.3.6, 3.3.2.11), and
 * security events and logout tokens (RFC 8417 section 2.2).
 */
const FOREIGN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'];

type Claims = Readonly<Record<string, unknown>>;

/**
 * Refuses a JWT whose header says that it is no access token: an assertion (`oauth-id-jag+jwt`), `logout+jwt`,
 * `dpop+jwt` and whatever else there is or will be. One that does not say what it is must not be taken for it by its
 * audience alone: that is a client's id for many issuers, which their ID tokens have as well.
 */
export function checkTokenType(
  typ: string | undefined,
  claims: Claims,
  settings: Pick<IssuerSettings, 'requireAccessTokenType' | 'audienceIsResource'>,
): void {
  const type = typ?.toLowerCase().replace(/^application\//, '');
  if (type === ACCESS_TOKEN_TYPE) return;
  const plain = type === undefined || type === PLAIN_TYPE;
  if (!plain || settings.requireAccessTokenType) throw new TokenRefusal('kind');
  if (!settings.audienceIsResource && !isMarkedAccessToken(claims)) throw new TokenRefusal('kind');
}

/** Refuses claims that are of no access token, or of one that only the owner of a key may use. */
export function checkTokenKind(claims: Claims): void {
  const { token_use: use, typ, token_type: type, iss, sub, cnf } = claims;
  if (!PAYLOAD_KINDS.includes(lower(use)) || !PAYLOAD_KINDS.includes(lower(typ))) throw new TokenRefusal('kind');
  // RFC 7800: `DPoP` (RFC 9449) or mTLS (RFC 8705), neither of which reaches this server in a form it can check.
  if (cnf !== undefined || lower(type) === 'dpop') throw new TokenRefusal('binding');
  if (!TOKEN_TYPES.includes(lower(type))) throw new TokenRefusal('kind');
  if (FOREIGN_CLAIMS.some((name) => claims[name] !== undefined)) throw new TokenRefusal('kind');
  // Who speaks of himself makes an assertion (RFC 7523 section 3), not an access token.
  if (sub !== undefined && sub === iss) throw new TokenRefusal('kind');
}

/** What access tokens without RFC 9068 have and ID tokens don't: grants, or roles that a client has been given. */
function isMarkedAccessToken({ scope, scp, token_use: use, roles, azp, appid, client_id: client }: Claims): boolean {
  return [scope, scp].some(says) || lower(use) === 'access' || (says(roles) && [azp, appid, client].some(says));
}

function says(value: unknown): boolean {
  return (typeof value === 'string' || Array.isArray(value)) && value.length > 0;
}

function lower(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value;
}
