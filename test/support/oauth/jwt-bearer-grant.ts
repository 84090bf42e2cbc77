import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import { type Context, errors } from 'oidc-provider';
import type { OidcServer } from './oidc-server.js';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/**
 * Lets an authorization server give access tokens for the ID-JAGs of an identity provider (RFC 7523): enterprise-managed
 * authorization, section 6. No refresh token: the next ID-JAG is the company's to give.
 */
export function trusting(server: OidcServer, idpIssuer: string): OidcServer {
  const keys = createRemoteJWKSet(new URL(`${idpIssuer}/jwks`));
  const used = new Set<string>();

  server.provider.registerGrantType(
    JWT_BEARER,
    async (ctx) => {
      const claims = await claimsOf(ctx, server, (assertion) =>
        jwtVerify(assertion, keys, {
          issuer: idpIssuer,
          audience: server.issuer,
          typ: 'oauth-id-jag+jwt',
          requiredClaims: ['sub', 'jti', 'exp', 'client_id', 'resource'],
        }),
      );
      if (used.has(claims.jti ?? '')) throw new errors.InvalidGrant('this ID-JAG has been used');
      used.add(claims.jti ?? '');
      ctx.body = await issue(ctx, server, claims);
    },
    ['assertion', 'scope', 'resource'],
  );
  return server;
}

async function claimsOf(
  { oidc }: Context,
  server: OidcServer,
  verify: (assertion: string) => Promise<{ payload: JWTPayload }>,
): Promise<JWTPayload> {
  const { payload } = await verify(oidc.params['assertion'] ?? '').catch(() => {
    throw new errors.InvalidGrant('this is no ID-JAG that counts here');
  });
  if (payload['client_id'] !== oidc.client.clientId) throw new errors.InvalidGrant('this ID-JAG is for another client');
  if (!server.knows(payload.sub ?? '')) throw new errors.InvalidGrant('nobody has this name here');
  return payload;
}

async function issue({ oidc }: Context, server: OidcServer, claims: JWTPayload): Promise<unknown> {
  const { provider } = server;
  const { client, params } = oidc;
  const accountId = claims.sub ?? '';
  // The ID-JAG says for which resource, whatever the client says besides.
  const resource = String(claims['resource']);
  const granted = typeof claims['scope'] === 'string' ? claims['scope'].split(' ') : [];
  const wanted = params['scope']?.split(' ') ?? granted;

  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addResourceScope(resource, granted.filter((scope) => wanted.includes(scope)).join(' '));
  const token = new provider.AccessToken({ accountId, client, grantId: await grant.save(), gty: 'jwt_bearer' });
  token.resourceServer = new provider.ResourceServer(resource, server.resource(resource, client));
  token.scope = grant.getResourceScopeFiltered(resource, [...token.resourceServer.scopes]);
  return {
    access_token: await token.save(),
    token_type: token.tokenType,
    expires_in: token.expiration,
    scope: token.scope,
  };
}
