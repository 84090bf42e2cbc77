import { randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { type Context, errors } from 'oidc-provider';
import type { OidcServer } from './oidc-server.js';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const ID_JAG_SECONDS = 300;

/** What the company allows; it may change its mind at any time. */
export interface CompanyPolicy {
  /** The client of the identity provider, and the name it has at the MCP authorization server. */
  readonly clients: Readonly<Record<string, string>>;
  /** Scopes that each user may have at a resource. Who is not named may have nothing. */
  readonly users: Record<string, { readonly resource: string; readonly scopes: readonly string[] }>;
}

/**
 * Lets an identity provider hand out identity assertion grants (ID-JAG) for ID tokens by token exchange (RFC 8693), as
 * far as the company's policy goes: enterprise-managed authorization, sections 4 and 5.
 */
export function asCompanyIdp(idp: OidcServer, policy: CompanyPolicy): OidcServer {
  const parameters = ['requested_token_type', 'audience', 'resource', 'scope', 'subject_token', 'subject_token_type'];
  idp.provider.registerGrantType(TOKEN_EXCHANGE, (ctx) => exchange(idp, policy, ctx), parameters);
  return idp;
}

async function exchange(idp: OidcServer, policy: CompanyPolicy, ctx: Context): Promise<void> {
  const { params, client } = ctx.oidc;
  const { audience, resource } = params;
  if (params['requested_token_type'] !== ID_JAG || params['subject_token_type'] !== ID_TOKEN) {
    throw new errors.InvalidRequest('only an ID token can be exchanged, and only for an ID-JAG');
  }
  if (audience === undefined || resource === undefined)
    throw new errors.InvalidRequest('audience and resource, please');
  const subject = await subjectOf(idp, params['subject_token'] ?? '', client.clientId);
  const allowed = policy.users[subject];
  const clientAtResource = policy.clients[client.clientId];
  if (allowed?.resource !== resource || clientAtResource === undefined) {
    throw new errors.AccessDenied('the company does not allow this');
  }
  const scope = allowed.scopes.filter((one) => params['scope']?.split(' ').includes(one) ?? true).join(' ');

  const grant = await new SignJWT({ resource, scope, client_id: clientAtResource })
    .setProtectedHeader({ alg: 'ES256', kid: idp.keys.kid, typ: 'oauth-id-jag+jwt' })
    .setIssuer(idp.issuer)
    .setSubject(subject)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${ID_JAG_SECONDS} s`)
    .sign(idp.keys.privateKey);
  ctx.body = {
    issued_token_type: ID_JAG,
    access_token: grant,
    // It is no access token: RFC 8693, section 2.2.1.
    token_type: 'N_A',
    expires_in: ID_JAG_SECONDS,
    scope,
  };
}

async function subjectOf(idp: OidcServer, idToken: string, clientId: string): Promise<string> {
  try {
    const { payload } = await jwtVerify(idToken, idp.keys.publicKey, { issuer: idp.issuer, audience: clientId });
    return payload.sub ?? '';
  } catch {
    throw new errors.InvalidGrant('this is no ID token of this client');
  }
}
