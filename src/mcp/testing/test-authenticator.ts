import type { Authenticator, Credentials } from '../auth/authenticator.port.js';
import { McpError } from '../protocol/errors.js';
import { ANONYMOUS, type Principal } from '../protocol/principal.js';
import { isJsonObject } from '../transport/json-rpc.js';
import { TEST_PRINCIPAL_HEADER } from './test-principal.js';

/**
 * Believes whoever a test client says it is; whoever says nothing is anonymous. It proves nothing, so
 * `createMcpTestApp` alone puts it in place.
 */
export class TestAuthenticator implements Authenticator {
  readonly anonymousMayUse = 'all';

  authenticate({ headers }: Credentials): Principal {
    const header = headers[TEST_PRINCIPAL_HEADER];
    if (header === undefined) return ANONYMOUS;
    const claimed = decode(String(header));
    if (!isJsonObject(claimed)) {
      throw new McpError('UNAUTHORIZED', `${TEST_PRINCIPAL_HEADER} must be base64url of a JSON object.`);
    }
    const { subject = 'tester', issuer = 'test', client, tenant, scopes = [], roles = [], claims = {} } = claimed;
    return {
      subject: String(subject),
      issuer: String(issuer),
      ...(typeof client === 'string' && { client }),
      ...(typeof tenant === 'string' && { tenant }),
      scopes: new Set(scopes as readonly string[]),
      roles: new Set(roles as readonly string[]),
      claims: claims as Principal['claims'],
    };
  }
}

function decode(header: string): unknown {
  try {
    return JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
