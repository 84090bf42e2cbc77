import { checkTokenKind } from './token-kind.js';
import { TokenRefusal } from './token-refusal.error.js';

export type Claims = Readonly<Record<string, unknown>>;

/** What a token must be. */
export interface TokenExpectations {
  readonly issuer: string;
  readonly audience: string;
  readonly clockSkewMs: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * The checks behind the signature, in their order: issuer, times, audience, kind.
 * @throws TokenRefusal of the first that fails
 */
export function checkJwtClaims(claims: Claims, expected: TokenExpectations): void {
  if (claims['iss'] !== expected.issuer) throw new TokenRefusal('issuer');
  // RFC 9068 section 2.2 requires it; a token without it would never end.
  if (claims['exp'] === undefined) throw new TokenRefusal('expired');
  checkTimes(claims, expected);
  checkAudience(claims, expected);
  checkTokenKind(claims);
}

/** The same for an answer of the introspection endpoint (RFC 7662 section 2.2), which need not repeat everything. */
export function checkIntrospectedClaims(claims: Claims, expected: TokenExpectations): void {
  if (claims['active'] !== true) throw new TokenRefusal('inactive');
  if (claims['iss'] !== undefined && claims['iss'] !== expected.issuer) throw new TokenRefusal('issuer');
  checkTimes(claims, expected);
  checkAudience(claims, expected);
  checkTokenKind(claims);
}

function checkTimes({ exp, nbf, iat }: Claims, { now, clockSkewMs }: TokenExpectations): void {
  if (exp !== undefined && !(isNumericDate(exp) && now < exp * 1_000 + clockSkewMs)) throw new TokenRefusal('expired');
  for (const start of [nbf, iat]) {
    if (start !== undefined && !(isNumericDate(start) && start * 1_000 <= now + clockSkewMs)) {
      throw new TokenRefusal('not yet valid');
    }
  }
}

/** RFC 7519 section 4.1.3: a text, or several of them. */
function checkAudience({ aud }: Claims, { audience }: TokenExpectations): void {
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(audience)) throw new TokenRefusal('audience');
}

function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
