import { type IssuerSettings, issuerSettings } from './issuer-settings.js';
import type { IssuerOptions, OAuthOptions } from './oauth-options.js';
import { isScopeToken } from './scope-hierarchy.js';
import { secureUrl } from './secure-url.js';

const MAX_CLOCK_SKEW_MS = 60_000;
const MAX_REMEMBERED_TOKENS = 1_000_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** {@link OAuthOptions}, checked, with every default filled in. */
export interface OAuthSettings {
  readonly resource: string;
  readonly issuers: readonly IssuerSettings[];
  readonly requiredScopes: readonly string[];
  readonly scopesSupported: readonly string[];
  readonly scopeImplies: Readonly<Record<string, readonly string[]>>;
  readonly clockSkewMs: number;
  readonly resourceName: string | undefined;
  readonly resourceDocumentation: string | undefined;
  readonly anonymous: boolean;
  readonly verifiedTokens: { readonly max: number; readonly ttlMs: number };
  readonly jwks: { readonly maxAgeMs: number; readonly staleIfErrorMs: number; readonly requestTimeoutMs: number };
}

/** @throws Error that names the option and says what it must be */
export function oauthSettings(options: OAuthOptions): OAuthSettings {
  const resource = canonicalResource(options.resource);
  const requiredScopes = scopes('requiredScopes', options.requiredScopes ?? []);
  if (requiredScopes.includes('offline_access')) {
    // 2026-07-28 basic/authorization, "Refresh Tokens": not a resource's to ask for.
    throw new Error('requiredScopes must not list offline_access: whether to ask for it is up to the client.');
  }
  const { resourceName, resourceDocumentation, verifiedTokens, jwks } = options;
  if (resourceName === '') throw new Error('resourceName must not be empty: leave it out for none.');
  if (resourceDocumentation !== undefined) secureDocumentation(resourceDocumentation);
  return Object.freeze({
    resource,
    issuers: issuers(options, resource),
    requiredScopes,
    scopesSupported: scopes('scopesSupported', options.scopesSupported ?? requiredScopes),
    scopeImplies: scopeImplies(options.scopeImplies ?? {}),
    clockSkewMs: within('clockSkewMs', options.clockSkewMs ?? 30_000, [0, MAX_CLOCK_SKEW_MS]),
    resourceName,
    resourceDocumentation,
    anonymous: options.anonymous ?? true,
    verifiedTokens: Object.freeze({
      max: within('verifiedTokens.max', verifiedTokens?.max ?? 10_000, [0, MAX_REMEMBERED_TOKENS]),
      ttlMs: within('verifiedTokens.ttlMs', verifiedTokens?.ttlMs ?? 30_000, [0, DAY_MS]),
    }),
    jwks: Object.freeze({
      maxAgeMs: within('jwks.maxAgeMs', jwks?.maxAgeMs ?? 600_000, [1_000, DAY_MS]),
      staleIfErrorMs: within('jwks.staleIfErrorMs', jwks?.staleIfErrorMs ?? 3_600_000, [0, DAY_MS]),
      requestTimeoutMs: within('jwks.requestTimeoutMs', jwks?.requestTimeoutMs ?? 5_000, [1, 60_000]),
    }),
  });
}

/** Clients compare it letter by letter, so only the form that they compute is any good. */
function canonicalResource(resource: string): string {
  const url = secureUrl('resource', resource);
  if (resource.includes('?')) throw new Error('resource must have no query: leave out "?" and what follows.');
  if (url.href !== resource && url.href !== `${resource}/`) {
    throw new Error(`resource is not in canonical form: write ${url.href} instead.`);
  }
  return resource;
}

function issuers(options: OAuthOptions, resource: string): readonly IssuerSettings[] {
  // Configuration that no compiler has seen may lack it.
  const given = options.issuers as readonly IssuerOptions[] | undefined;
  if (!Array.isArray(given) || given.length === 0) {
    throw new Error('issuers must name at least one authorization server: give { issuer: "https://..." }.');
  }
  const checked = options.issuers.map((issuer, index) => issuerSettings(`issuers[${index}]`, issuer, resource));
  const twice = checked.find(({ issuer }, index) => checked.findIndex((other) => other.issuer === issuer) !== index);
  if (twice) throw new Error(`issuers names ${twice.issuer} twice: keep one of them.`);
  return Object.freeze(checked);
}

function scopeImplies(implies: Readonly<Record<string, readonly string[]>>): Record<string, readonly string[]> {
  const entries = Object.entries(implies);
  scopes('scopeImplies', Object.keys(implies));
  return Object.fromEntries(entries.map(([scope, narrower]) => [scope, scopes(`scopeImplies["${scope}"]`, narrower)]));
}

function scopes(name: string, values: readonly string[]): readonly string[] {
  if (!Array.isArray(values) || !values.every(isScopeToken)) {
    throw new Error(
      `${name} must list scopes: each one or more visible ASCII characters but " and \\ (RFC 6749 section 3.3).`,
    );
  }
  return Object.freeze([...new Set(values)]);
}

function secureDocumentation(value: string): void {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new Error('resourceDocumentation must be an absolute URL, such as https://example.com/docs.');
  }
}

function within(name: string, value: number, [least, most]: readonly [number, number]): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`${name} must be a whole number from ${least} to ${most}.`);
  }
  return value;
}
