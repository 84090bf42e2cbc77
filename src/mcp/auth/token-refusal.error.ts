/** Which check an access token failed, and what the client's developer is told: constant words, nothing of the token. */
export const TOKEN_CHECKS = {
  malformed: 'The Authorization header holds no well-formed bearer token',
  algorithm: 'The token is signed in a way that is not accepted',
  signature: 'The signature of the token is not valid',
  issuer: 'The token is from an issuer that is not accepted',
  expired: 'The token has expired, or does not say when it will',
  'not yet valid': 'The token is not valid yet',
  audience: 'The token is for another audience',
  kind: 'The token is no access token',
  binding: 'The token is bound to a key, and possession cannot be proved here',
  subject: 'The token names neither a subject nor a client',
  tenant: 'The token names its tenant in a form that is not accepted',
  inactive: 'The token is not active',
  unknown: 'The token is of a form that is not accepted',
} as const satisfies Record<string, string>;

export type TokenCheck = keyof typeof TOKEN_CHECKS;

/** An access token that is refused. It never carries the token, or an error that may quote from it. */
export class TokenRefusal extends Error {
  constructor(readonly check: TokenCheck) {
    super(TOKEN_CHECKS[check]);
    this.name = 'TokenRefusal';
  }
}
