import { ANONYMOUS, type Principal } from '../protocol/principal.js';
import type { Authenticator } from './authenticator.port.js';

/** Asks nobody for anything. */
export class AnonymousAuthenticator implements Authenticator {
  readonly anonymousMayUse = 'all';

  authenticate(): Principal {
    return ANONYMOUS;
  }
}
