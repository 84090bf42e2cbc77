import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import {
  ASYMMETRIC_ALGORITHMS,
  type AsymmetricAlgorithm,
  type IntrospectionOptions,
  type IssuerOptions,
} from './oauth-options.js';
import { algorithmsOf, isStrongEnough, MIN_RSA_BITS } from './key-strength.js';
import { secureUrl } from './secure-url.js';

const MIN_SECRET_BYTES = 32;

export type TokenAlgorithm = AsymmetricAlgorithm | 'HS256';

/** Where the keys of an issuer come from. */
export type KeyOrigin =
  { readonly kind: 'fixed'; readonly key: KeyObject } | { readonly kind: 'jwks'; readonly uri: string | undefined };

/** {@link IssuerOptions}, checked, with every default filled in. */
export interface IssuerSettings {
  readonly issuer: string;
  readonly keys: KeyOrigin;
  readonly introspection: IntrospectionOptions | undefined;
  readonly audience: string;
  /** Whether the audience is this server and nothing else, so that no ID token has it. */
  readonly audienceIsResource: boolean;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly requireAccessTokenType: boolean;
  readonly tenantClaim: string | undefined;
  readonly rolesClaim: string;
}

/**
 * @param name of the options, such as `issuers[0]`
 * @throws Error that names the option and says what it must be; it never holds a secret
 */
export function issuerSettings(name: string, options: IssuerOptions, resource: string): IssuerSettings {
  const issuer = secureUrl(`${name}.issuer`, options.issuer);
  // RFC 8414 section 2.
  if (issuer.search !== '') throw new Error(`${name}.issuer must have no query: leave out "?" and what follows.`);
  const keys = keyOrigin(name, options);
  const audience = nonEmpty(`${name}.audience`, options.audience) ?? resource;
  return Object.freeze({
    issuer: options.issuer,
    keys,
    introspection: introspectionSettings(`${name}.introspection`, options.introspection),
    audience,
    audienceIsResource: audience === resource,
    algorithms: algorithms(name, options, keys),
    requireAccessTokenType: options.requireAccessTokenType ?? false,
    tenantClaim: nonEmpty(`${name}.tenantClaim`, options.tenantClaim),
    rolesClaim: nonEmpty(`${name}.rolesClaim`, options.rolesClaim) ?? 'roles',
  });
}

function keyOrigin(name: string, { jwksUri, publicKey, sharedSecret }: IssuerOptions): KeyOrigin {
  if ([jwksUri, publicKey, sharedSecret].filter((origin) => origin !== undefined).length > 1) {
    throw new Error(`${name} has more than one of jwksUri, publicKey and sharedSecret: keep one.`);
  }
  if (publicKey !== undefined) return { kind: 'fixed', key: readPublicKey(`${name}.publicKey`, publicKey) };
  if (sharedSecret !== undefined) return { kind: 'fixed', key: readSecret(`${name}.sharedSecret`, sharedSecret) };
  if (jwksUri !== undefined) secureUrl(`${name}.jwksUri`, jwksUri);
  return { kind: 'jwks', uri: jwksUri };
}

function readPublicKey(name: string, pem: string): KeyObject {
  // Node would take the public half of a private key, which has no business here.
  if (pem.includes('PRIVATE KEY')) throw new Error(`${name} holds a private key: give the public one.`);
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    // What Node says may repeat parts of the text.
    throw new Error(`${name} must be PEM text that begins with -----BEGIN PUBLIC KEY-----.`);
  }
  if (!isStrongEnough(key)) throw new Error(`${name} must have at least ${MIN_RSA_BITS} bits: use a longer key.`);
  if (algorithmsOf(key).length === 0) {
    throw new Error(`${name} must be an RSA key, or an EC key on P-256, P-384 or P-521.`);
  }
  return key;
}

function readSecret(name: string, secret: string): KeyObject {
  if (process.env['NODE_ENV'] === 'production') {
    throw new Error(`${name} is for development alone: use jwksUri or publicKey when NODE_ENV is production.`);
  }
  const bytes = Buffer.from(secret);
  if (bytes.byteLength < MIN_SECRET_BYTES) {
    throw new Error(
      `${name} has ${bytes.byteLength} bytes and needs ${MIN_SECRET_BYTES}. Make one with: openssl rand -base64 32`,
    );
  }
  return createSecretKey(bytes);
}

function algorithms(name: string, options: IssuerOptions, keys: KeyOrigin): readonly TokenAlgorithm[] {
  const chosen = options.algorithms;
  if (options.sharedSecret !== undefined) {
    if (chosen) throw new Error(`${name}.algorithms must be left out beside sharedSecret: that is always HS256.`);
    return ['HS256'];
  }
  const known: readonly string[] = ASYMMETRIC_ALGORITHMS;
  if (chosen && (chosen.length === 0 || !chosen.every((algorithm) => known.includes(algorithm)))) {
    throw new Error(`${name}.algorithms must list one or more of ${known.join(', ')}.`);
  }
  const allowed = chosen ?? ASYMMETRIC_ALGORITHMS;
  if (keys.kind === 'jwks') return [...allowed];
  const possible = algorithmsOf(keys.key);
  const both = allowed.filter((algorithm) => possible.includes(algorithm));
  if (both.length === 0) {
    throw new Error(`${name}.algorithms has none that its publicKey can be used with: ${possible.join(', ')}.`);
  }
  return both;
}

function introspectionSettings(
  name: string,
  options: IntrospectionOptions | undefined,
): IntrospectionOptions | undefined {
  if (options === undefined) return undefined;
  const { endpoint } = options;
  if (endpoint !== undefined) secureUrl(`${name}.endpoint`, endpoint);
  if (!options.clientId) throw new Error(`${name}.clientId is missing: register this server as a client.`);
  if (!options.clientSecret) throw new Error(`${name}.clientSecret is missing: register this server as a client.`);
  return Object.freeze({ ...options });
}

function nonEmpty(name: string, value: string | undefined): string | undefined {
  if (value === '') throw new Error(`${name} must not be empty: leave it out for the default.`);
  return value;
}
