import { z } from 'zod';
import { flag, integer, list } from './variable-types.js';

/** Who may issue tokens for this server, and what callers may do without or with them. */
export const AUTH_VARIABLES = {
  AUTH_MODE: z
    .enum(['oauth', 'none'])
    .optional()
    .describe(
      'oauth asks for access tokens of AUTH_ISSUERS; none serves everyone who reaches the server. Without it and without issuers the server binds to loopback only.',
    ),
  AUTH_RESOURCE: z
    .string()
    .optional()
    .describe(
      'Canonical URL of the MCP endpoint, as clients reach it: tokens must be issued for it (aud). Needed with issuers.',
    ),
  AUTH_ISSUERS: list
    .default([])
    .describe('Issuers whose tokens are accepted, each exactly as in iss; comma-separated.'),
  AUTH_ISSUERS_FILE: z
    .string()
    .optional()
    .describe('JSON file with a list of issuers, each with the options of IssuerOptions; instead of AUTH_ISSUERS.'),
  AUTH_JWKS_URI: z
    .string()
    .optional()
    .describe('URL of the keys of the one issuer. Without it its metadata names them.'),
  AUTH_PUBLIC_KEY_FILE: z
    .string()
    .optional()
    .describe('PEM file with the only public key of the one issuer, instead of fetched keys.'),
  AUTH_SHARED_SECRET: z
    .string()
    .optional()
    .describe(
      'Secret of 32 bytes or more that tokens of the one issuer are signed with (HS256); for development only.',
    ),
  AUTH_AUDIENCE: z.string().optional().describe('What aud must hold, where an issuer cannot put AUTH_RESOURCE there.'),
  AUTH_ALGORITHMS: list
    .default(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'])
    .describe('Signature algorithms that tokens may have; comma-separated.'),
  AUTH_REQUIRE_ACCESS_TOKEN_TYPE: flag
    .default(false)
    .describe('true accepts only tokens that say they are access tokens (typ at+jwt, RFC 9068).'),
  AUTH_REQUIRED_SCOPES: list.default([]).describe('Scopes that every token needs; comma-separated.'),
  AUTH_SCOPES_SUPPORTED: list
    .default([])
    .describe('Scopes that clients are told of in the metadata; comma-separated. Without any, the required ones.'),
  AUTH_SCOPE_IMPLIES: z
    .string()
    .regex(/^([^\s,>]+>[^\s,>]+(,|$))*$/, 'must be pairs broad>narrow, comma-separated')
    .default('')
    .describe('Scopes that imply others, as notes:write>notes:read; comma-separated.'),
  AUTH_CLOCK_SKEW_MS: integer(0, 60_000)
    .default(30_000)
    .describe('Milliseconds by which the clocks of issuers and of this server may differ.'),
  AUTH_TENANT_CLAIM: z.string().optional().describe('Claim, or dotted path, that names the tenant.'),
  AUTH_ROLES_CLAIM: z.string().default('roles').describe('Claim, or dotted path, that lists the roles.'),
  AUTH_INTROSPECTION_CLIENT_ID: z
    .string()
    .optional()
    .describe('Client that asks the issuers about opaque tokens (RFC 7662). Without it these are refused.'),
  AUTH_INTROSPECTION_CLIENT_SECRET: z.string().optional().describe('Secret of that client.'),
  AUTH_INTROSPECTION_URL: z
    .string()
    .optional()
    .describe('Where the one issuer is asked. Without it its metadata names the endpoint.'),
  AUTH_TOKEN_CACHE_MS: integer(0, 3_600_000)
    .default(30_000)
    .describe('Milliseconds for which a verified JWT is not verified again; never longer than it lasts.'),
  AUTH_ANONYMOUS: flag
    .default(true)
    .describe(
      'true lets callers without a token in where something is @Public(); false answers each of them with 401, so that clients log in at once.',
    ),
  ACCESS_UNDECLARED: z
    .enum(['authenticated', 'nobody'])
    .default('authenticated')
    .describe('Who may use what has no access decorator, once callers are asked for tokens.'),
  ACCESS_MISSING_SCOPE: z
    .enum(['challenge', 'advertise', 'hide'])
    .default('challenge')
    .describe(
      'What callers see that lack only a scope. challenge: not in lists, calls get insufficient_scope; advertise: in lists too; hide: nothing.',
    ),
} as const;
