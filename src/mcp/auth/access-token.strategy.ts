import type { KeyObject } from 'node:crypto';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { compactVerify } from 'jose';
import { Strategy } from 'passport-jwt';
import type { Principal } from '../protocol/principal.js';
import type { KeySource } from './issuer-keys.js';
import type { IssuerSettings } from './issuer-settings.js';
import type { TokenHeader } from './jwt-parts.js';
import type { ScopeHierarchy } from './scope-hierarchy.js';
import { checkJwtClaims, type Claims } from './token-checks.js';
import { checkTokenType } from './token-kind.js';
import { principalOf } from './token-principal.js';
import { TokenRefusal } from './token-refusal.error.js';

/** What the strategy runs on. */
export interface AccessTokenRequest {
  readonly token: string;
  /** Its header, with an algorithm of the allow-list and nothing critical. */
  readonly header: TokenHeader;
}

export interface AccessTokenStrategyOptions {
  readonly settings: IssuerSettings;
  readonly keys: KeySource;
  readonly scopes: ScopeHierarchy;
  readonly clockSkewMs: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Verifies the JWTs of one issuer. passport-jwt checks algorithm and signature alone; the claims are checked here
 * behind it, because it would check times, audience and issuer in another order.
 */
export class AccessTokenStrategy extends PassportStrategy(Strategy, 'mcp-access-token') {
  private readonly options: AccessTokenStrategyOptions;

  constructor(options: AccessTokenStrategyOptions) {
    super({
      jwtFromRequest: ({ token }: AccessTokenRequest) => token,
      secretOrKeyProvider: (request: AccessTokenRequest, _token, done) => {
        findKey(options.keys, request)
          // Its types are of before KeyObject, which is what it makes of a text or Buffer in the end.
          .then((key) => done(null, key as unknown as Buffer))
          // What it throws itself must end the request as well.
          .catch((error: unknown) => done(error));
      },
      algorithms: [...options.settings.algorithms],
      ignoreExpiration: true,
      jsonWebTokenOptions: { ignoreNotBefore: true },
      passReqToCallback: true,
    });
    this.options = options;
  }

  /** Called by Passport when the signature is good. */
  validate({ header }: AccessTokenRequest, claims: Claims): Principal {
    const { settings, scopes, clockSkewMs, now } = this.options;
    // A payload may be any JSON; jsonwebtoken hands over texts as well.
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) throw new TokenRefusal('issuer');
    checkJwtClaims(claims, { ...settings, clockSkewMs, now: now() });
    checkTokenType(header.typ, claims, settings);
    return principalOf(claims, settings, scopes);
  }

  /** Nest registers every strategy: this one in a registry of its own, for it is run by its instance. */
  getPassportInstance(): unknown {
    return new passport.Passport();
  }
}

/** @throws TokenRefusal when the issuer has no such key */
async function findKey(keys: KeySource, { token, header }: AccessTokenRequest): Promise<KeyObject> {
  const candidates = await keys.find(header);
  const [first] = candidates;
  if (!first) throw new TokenRefusal('signature');
  if (candidates.length === 1) return first;
  // A token without a key id, and several keys that it may be of: passport-jwt takes one only.
  for (const key of candidates) {
    const verified = await compactVerify(token, key).then(
      () => true,
      () => false,
    );
    if (verified) return key;
  }
  return first;
}
