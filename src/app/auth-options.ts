import { z } from 'zod';
import { type AsymmetricAlgorithm, type IssuerOptions, type OAuthOptions, isLoopbackAddress } from '../index.js';
import { CONFIG_SCHEMA, type Config } from './config.js';
import { readVariableFile } from './variable-file.js';

/**
 * The part of the configuration that says who may issue tokens.
 * @throws Error when it contradicts itself, naming the variables
 */
export function authOptions(config: Config): OAuthOptions | 'none' | undefined {
  const issuers = issuersOf(config);
  if (config.AUTH_MODE === 'none' && issuers.length > 0) {
    throw new Error('AUTH_MODE is none, but there are issuers. Leave out the one or the other.');
  }
  if (issuers.length === 0) {
    requireNothingMeant(config);
    if (config.AUTH_MODE !== 'oauth') return config.AUTH_MODE;
    throw new Error('AUTH_MODE is oauth, but no issuer is configured. Set AUTH_ISSUERS or AUTH_ISSUERS_FILE.');
  }
  if (config.AUTH_RESOURCE === undefined) {
    throw new Error(
      'AUTH_RESOURCE is missing: the URL by which clients reach the MCP endpoint. Tokens are issued for it.',
    );
  }
  return {
    resource: config.AUTH_RESOURCE,
    issuers,
    requiredScopes: config.AUTH_REQUIRED_SCOPES,
    ...(config.AUTH_SCOPES_SUPPORTED.length > 0 && { scopesSupported: config.AUTH_SCOPES_SUPPORTED }),
    scopeImplies: impliedScopes(config.AUTH_SCOPE_IMPLIES),
    clockSkewMs: config.AUTH_CLOCK_SKEW_MS,
    anonymous: config.AUTH_ANONYMOUS,
    verifiedTokens: { ttlMs: config.AUTH_TOKEN_CACHE_MS },
  };
}

/**
 * A server that asks nobody who he is must not be reached by others because somebody forgot something.
 * @throws Error
 */
export function requireSafeAddress({ HOST }: Config, auth: OAuthOptions | 'none' | undefined): void {
  if (auth !== undefined || isLoopbackAddress(HOST)) return;
  throw new Error(
    `HOST is ${HOST}, which others can reach, but callers are not asked who they are. Set AUTH_ISSUERS and ` +
      'AUTH_RESOURCE, or say AUTH_MODE=none if everyone who reaches the server may use it.',
  );
}

/** Variables that say something of tokens alone: with none of the issuers they have no effect. */
function tokenVariables(config: Config): string[] {
  const set = {
    AUTH_RESOURCE: config.AUTH_RESOURCE !== undefined,
    AUTH_REQUIRED_SCOPES: config.AUTH_REQUIRED_SCOPES.length > 0,
    AUTH_SCOPES_SUPPORTED: config.AUTH_SCOPES_SUPPORTED.length > 0,
    AUTH_SCOPE_IMPLIES: config.AUTH_SCOPE_IMPLIES !== '',
    AUTH_ANONYMOUS: !config.AUTH_ANONYMOUS,
    ACCESS_UNDECLARED: config.ACCESS_UNDECLARED === 'nobody',
  };
  return [...Object.entries(set).flatMap(([name, isSet]) => (isSet ? [name] : [])), ...issuerVariables(config)];
}

/** Variables that describe the issuers of AUTH_ISSUERS. */
function issuerVariables(config: Config): string[] {
  const defaults = CONFIG_SCHEMA.parse({}, { jitless: true });
  return ISSUER_VARIABLES.filter((name) => JSON.stringify(config[name]) !== JSON.stringify(defaults[name]));
}

const ISSUER_VARIABLES = [
  'AUTH_JWKS_URI',
  'AUTH_PUBLIC_KEY_FILE',
  'AUTH_SHARED_SECRET',
  'AUTH_AUDIENCE',
  'AUTH_ALGORITHMS',
  'AUTH_REQUIRE_ACCESS_TOKEN_TYPE',
  'AUTH_TENANT_CLAIM',
  'AUTH_ROLES_CLAIM',
  'AUTH_INTROSPECTION_CLIENT_ID',
  'AUTH_INTROSPECTION_CLIENT_SECRET',
  'AUTH_INTROSPECTION_URL',
] as const satisfies (keyof Config)[];

/** Those of them that say something of one issuer alone: its keys, and the secret that it shares with this server. */
const OF_ONE_ISSUER: readonly string[] = ISSUER_VARIABLES.filter((name) =>
  /JWKS|KEY_FILE|SECRET|INTROSPECTION/.test(name),
);

/** A server that somebody meant to ask for tokens must not serve everyone because a name was misspelt. @throws Error */
function requireNothingMeant(config: Config): void {
  const meant = tokenVariables(config);
  if (meant.length === 0) return;
  throw new Error(
    `${meant.join(', ')} can only mean that tokens are asked for, but no issuer is configured. Set AUTH_ISSUERS.`,
  );
}

function issuersOf(config: Config): readonly IssuerOptions[] {
  const described = issuerVariables(config);
  if (config.AUTH_ISSUERS_FILE !== undefined) {
    const ignored = [...(config.AUTH_ISSUERS.length > 0 ? ['AUTH_ISSUERS'] : []), ...described];
    if (ignored.length === 0) return issuersIn(config.AUTH_ISSUERS_FILE);
    throw new Error(`${ignored.join(', ')} would be ignored beside AUTH_ISSUERS_FILE. Say it in the file.`);
  }
  const ofOne = described.filter((name) => OF_ONE_ISSUER.includes(name));
  if (config.AUTH_ISSUERS.length > 1 && ofOne.length > 0) {
    throw new Error(`${ofOne.join(', ')} is of one issuer, but there are several. Describe them in AUTH_ISSUERS_FILE.`);
  }
  const keys = {
    ...(config.AUTH_JWKS_URI !== undefined && { jwksUri: config.AUTH_JWKS_URI }),
    ...(config.AUTH_PUBLIC_KEY_FILE !== undefined && {
      publicKey: readVariableFile('AUTH_PUBLIC_KEY_FILE', config.AUTH_PUBLIC_KEY_FILE),
    }),
    ...(config.AUTH_SHARED_SECRET !== undefined && { sharedSecret: config.AUTH_SHARED_SECRET }),
  };
  return config.AUTH_ISSUERS.map((issuer) => ({ issuer, ...keys, ...ofEach(config) }));
}

function ofEach(config: Config): Omit<IssuerOptions, 'issuer'> {
  const { AUTH_INTROSPECTION_CLIENT_ID: clientId, AUTH_INTROSPECTION_CLIENT_SECRET: clientSecret } = config;
  const endpoint = config.AUTH_INTROSPECTION_URL;
  if ((clientId === undefined) !== (clientSecret === undefined) || (endpoint !== undefined && clientId === undefined)) {
    throw new Error('AUTH_INTROSPECTION_CLIENT_ID and AUTH_INTROSPECTION_CLIENT_SECRET are needed together.');
  }
  return {
    // The option checks the names. A shared secret has an algorithm of its own.
    ...(issuerVariables(config).includes('AUTH_ALGORITHMS') && {
      algorithms: config.AUTH_ALGORITHMS as readonly AsymmetricAlgorithm[],
    }),
    requireAccessTokenType: config.AUTH_REQUIRE_ACCESS_TOKEN_TYPE,
    rolesClaim: config.AUTH_ROLES_CLAIM,
    ...(config.AUTH_AUDIENCE !== undefined && { audience: config.AUTH_AUDIENCE }),
    ...(config.AUTH_TENANT_CLAIM !== undefined && { tenantClaim: config.AUTH_TENANT_CLAIM }),
    ...(clientId !== undefined &&
      clientSecret !== undefined && {
        introspection: { clientId, clientSecret, ...(endpoint !== undefined && { endpoint }) },
      }),
  };
}

function issuersIn(file: string): readonly IssuerOptions[] {
  const text = readVariableFile('AUTH_ISSUERS_FILE', file);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // What the parser says holds the beginning of the file, which may be a secret.
    throw new Error(`AUTH_ISSUERS_FILE: ${file} cannot be read as JSON.`);
  }
  const issuers = z.array(ISSUER).min(1).safeParse(content);
  if (issuers.success) return issuers.data as readonly IssuerOptions[];
  const problems = issuers.error.issues.map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  throw new Error(`AUTH_ISSUERS_FILE: ${file} is not a list of issuers:\n${problems.join('\n')}`);
}

/** The fields of IssuerOptions. A name that is none of them is an error: what it was to ensure would not hold. */
const ISSUER = z.strictObject({
  issuer: z.string(),
  jwksUri: z.string().optional(),
  publicKey: z.string().optional(),
  sharedSecret: z.string().optional(),
  introspection: z
    .strictObject({ clientId: z.string(), clientSecret: z.string(), endpoint: z.string().optional() })
    .optional(),
  audience: z.string().optional(),
  algorithms: z.array(z.string()).optional(),
  requireAccessTokenType: z.boolean().optional(),
  tenantClaim: z.string().optional(),
  rolesClaim: z.string().optional(),
});

function impliedScopes(pairs: string): Record<string, string[]> {
  const implied: Record<string, string[]> = {};
  for (const pair of pairs.split(',').filter((each) => each !== '')) {
    const [broad = '', narrow = ''] = pair.split('>');
    (implied[broad] ??= []).push(narrow);
  }
  return implied;
}
