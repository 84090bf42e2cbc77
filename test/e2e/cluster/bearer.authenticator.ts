import { ANONYMOUS, type Authenticator, type Credentials, type Principal } from '../../../src/index.js';

/**
 * Believes `Authorization: Bearer <subject>.<anything>`, so that a test can refresh a token: the same subject under
 * another token. Whoever sends none is anonymous. It proves nothing.
 */
export class BearerAuthenticator implements Authenticator {
  readonly anonymousMayUse = 'all';

  authenticate({ headers }: Credentials): Principal {
    const subject = /^Bearer ([^.]+)\./.exec(String(headers['authorization'] ?? ''))?.[1];
    return subject === undefined ? ANONYMOUS : { ...ANONYMOUS, issuer: 'test', subject };
  }
}
