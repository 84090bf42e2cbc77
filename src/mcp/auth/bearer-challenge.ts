import type { AccessChallenge } from '../protocol/access-challenge.js';
import { McpError } from '../protocol/errors.js';
import { protectedResourceMetadataUrl } from './protected-resource.js';
import { isScopeToken } from './scope-hierarchy.js';

/** What a challenge says beside where to get a token. */
export interface ChallengeParameters {
  /** RFC 6750 section 3.1. None when the request had no token. */
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope';
  /** For the developer who reads it; printable ASCII but `"` and `\`. */
  readonly description?: string;
  /** Scopes to ask for. Default: the required ones. */
  readonly scopes?: readonly string[];
}

/** RFC 6750 section 3: what `error_description` may consist of, which needs no escape between quotes. */
const QUOTABLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Tells clients in `WWW-Authenticate` (RFC 6750, RFC 9728 section 5.1) which token they need. */
export class BearerChallenge implements AccessChallenge {
  private readonly metadataUrl: string;
  private readonly requiredScopes: readonly string[];

  /** @param options of which these two count, checked or not */
  constructor(options: { readonly resource: string; readonly requiredScopes?: readonly string[] }) {
    this.metadataUrl = protectedResourceMetadataUrl(options.resource);
    this.requiredScopes = options.requiredScopes ?? [];
  }

  /**
   * The value of the header.
   * @throws TypeError when a parameter has characters that the header cannot carry
   */
  header({ error, description, scopes = this.requiredScopes }: ChallengeParameters = {}): string {
    const scope = scopes.every(isScopeToken) ? scopes.join(' ') : undefined;
    if (scope === undefined) throw new TypeError('A scope of the challenge is no scope token (RFC 6749 section 3.3).');
    const parameters: readonly (readonly [string, string | undefined])[] = [
      ['resource_metadata', this.metadataUrl],
      ['error', error],
      ['error_description', description],
      ['scope', scope === '' ? undefined : scope],
    ];
    return `Bearer ${parameters.flatMap(([name, value]) => (value === undefined ? [] : quoted(name, value))).join(', ')}`;
  }

  /** 401: the request needs a token, or another one. */
  unauthorized(parameters: ChallengeParameters = {}): McpError {
    const text =
      parameters.error === undefined
        ? 'This request needs an access token. Get one as the WWW-Authenticate header says.'
        : 'The access token was not accepted. Get a new one as the WWW-Authenticate header says.';
    return new McpError('UNAUTHORIZED', text, undefined, { headers: { 'www-authenticate': this.header(parameters) } });
  }

  /**
   * 403: the token lacks scopes.
   * @param scopes all that the operation needs, those the token has included; what every token needs comes along, so
   *   that the client need not ask its user twice
   */
  insufficientScope(scopes: readonly string[]): McpError {
    const header = this.header({
      error: 'insufficient_scope',
      description: 'The access token lacks a scope that this request needs',
      scopes: [...new Set([...this.requiredScopes, ...scopes])],
    });
    return new McpError(
      'FORBIDDEN',
      'The access token lacks a scope that this request needs. Get one with the scopes that the WWW-Authenticate header names.',
      undefined,
      { headers: { 'www-authenticate': header } },
    );
  }
}

function quoted(name: string, value: string): string {
  if (!QUOTABLE.test(value)) throw new TypeError(`${name} of the challenge must be printable ASCII without " and \\.`);
  return `${name}="${value}"`;
}
