import { CrossAppAccessProvider, discoverAndRequestJwtAuthGrant } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { asCompanyIdp, type CompanyPolicy } from '../../support/oauth/company-idp.js';
import { trusting } from '../../support/oauth/jwt-bearer-grant.js';
import { type OidcClient, OidcServer } from '../../support/oauth/oidc-server.js';
import { statelessRequest } from '../../support/wire.js';
import { logInAtCompany } from './company-login.js';
import { OAUTH_CLIENTS } from './oauth-clients.js';
import { CALLBACK } from './person.js';
import { freeResource, serveShop, SHOP_SCOPES } from './protected-shop.js';
import { stopWallClock } from './wall-clock.js';

const expireAccessTokens = stopWallClock();

/** What the client is at the company, and what it is at the shop. */
const AT_COMPANY = { clientId: 'desk', clientSecret: 'desk-secret' };
const AT_SHOP = { clientId: 'desk-at-shop', clientSecret: 'desk-at-shop-secret' };

function clientOfCompany(id: string): OidcClient {
  return {
    id,
    secret: AT_COMPANY.clientSecret,
    grantTypes: ['authorization_code', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    redirectUris: [CALLBACK],
  };
}

/** A company that lets alice refund orders and bob read them, the shop's authorization server, which trusts it, and the shop. */
async function openCompany(checks: { requireAccessTokenType?: boolean } = {}) {
  const resource = await freeResource();
  const policy: CompanyPolicy = {
    clients: { [AT_COMPANY.clientId]: AT_SHOP.clientId },
    users: {
      alice: { resource, scopes: ['orders:read', 'orders:refund'] },
      bob: { resource, scopes: ['orders:read'] },
    },
  };
  const users = { alice: { tenant: 'acme' }, bob: { tenant: 'acme' }, carol: { tenant: 'acme' } };
  const clients = [clientOfCompany(AT_COMPANY.clientId), clientOfCompany(resource)];
  const idp = asCompanyIdp(await OidcServer.start({ users, clients }), policy);
  const as = await OidcServer.start({
    resources: { [resource]: SHOP_SCOPES },
    users,
    clients: [
      {
        id: AT_SHOP.clientId,
        secret: AT_SHOP.clientSecret,
        grantTypes: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
      },
    ],
  });
  trusting(as, idp.issuer);
  // The shop believes the company too, so that what it refuses is not refused for its issuer alone.
  const issuers = [as, idp].map(({ issuer }) => ({ issuer, tenantClaim: 'tenant', ...checks }));
  const shop = await serveShop(resource, { issuers, requiredScopes: ['orders:read'] });

  const idJag = async (idToken: string, audience: string, scope?: string): Promise<string> => {
    const asked = { idpUrl: idp.issuer, audience, resource, idToken, ...AT_COMPANY };
    const { jwtAuthGrant } = await discoverAndRequestJwtAuthGrant({ ...asked, ...(scope !== undefined && { scope }) });
    return jwtAuthGrant;
  };
  return {
    resource,
    issuer: as.issuer,
    policy,
    idJag,
    /** @returns the ID token */
    logIn: (user: string, client: { clientId?: string; nonce?: string } = {}) =>
      logInAtCompany(idp, user, { ...AT_COMPANY, ...client }),
    /** What a client knows whose user has this ID token. */
    provider: (idToken: string) =>
      new CrossAppAccessProvider({
        ...AT_SHOP,
        expectedIssuer: as.issuer,
        assertion: ({ authorizationServerUrl, scope }) => idJag(idToken, authorizationServerUrl, scope),
      }),
    [Symbol.asyncDispose]: async () => {
      for (const one of [shop, as, idp]) await one[Symbol.asyncDispose]();
    },
  };
}

// Version 1 of the SDK has nothing for it.
const CLIENTS = OAUTH_CLIENTS.filter(({ name }) => name.startsWith('SDK v2'));

describe.each(CLIENTS)('$name, managed by a company', ({ connect }) => {
  it('comes from the login at the company to a call, and the person is asked nothing', async () => {
    await using company = await openCompany();
    const provider = company.provider(await company.logIn('alice'));

    await using client = await connect(company.resource, provider);

    expect(JSON.parse(await client.call('whoami'))).toEqual({
      issuer: company.issuer,
      subject: 'alice',
      client: 'desk-at-shop',
      tenant: 'acme',
      scopes: ['orders:read'],
    });
    expect(client.trace.slice(0, 5)).toEqual([
      'POST /mcp 401',
      'GET /.well-known/oauth-protected-resource/mcp 200',
      'GET /.well-known/oauth-authorization-server 200',
      'POST /token 200',
      'POST /mcp 200',
    ]);
  });

  it('steps up when the company allows it', async () => {
    await using company = await openCompany();
    await using client = await connect(company.resource, company.provider(await company.logIn('alice')));
    const session = await client.call('session');

    expect(await client.call('refund')).toBe('refunded');
    expect(await client.call('session')).toBe(session);
  });

  it('is refused what the company does not allow, and does not ask for ever', async () => {
    await using company = await openCompany();
    await using client = await connect(company.resource, company.provider(await company.logIn('bob')));
    client.trace.length = 0;

    await expect(client.call('refund')).rejects.toThrow(/403/);

    expect(client.trace.filter((line) => line.startsWith('POST'))).toEqual([
      'POST /mcp 403',
      'POST /token 200',
      'POST /mcp 403',
    ]);
  });

  it('stays outside when the company allows nothing', async () => {
    await using company = await openCompany();
    const provider = company.provider(await company.logIn('carol'));

    await expect(connect(company.resource, provider)).rejects.toThrow(/access_denied/);
  });

  it('goes on with the same session when it has fetched another token', async () => {
    await using company = await openCompany();
    await using client = await connect(company.resource, company.provider(await company.logIn('alice')));
    const session = await client.call('session');

    expireAccessTokens();

    expect(await client.call('session')).toBe(session);
  });

  it('is shut out once the company no longer allows it and its token has ended', async () => {
    await using company = await openCompany();
    await using client = await connect(company.resource, company.provider(await company.logIn('alice')));
    delete company.policy.users['alice'];

    expireAccessTokens();

    await expect(client.call('orders')).rejects.toThrow(/access_denied/);
  });
});

type Company = Awaited<ReturnType<typeof openCompany>>;

describe('What an issuer signs that is no access token', () => {
  it.each<[string, (company: Company) => Promise<string>]>([
    ['ID token', (company) => company.logIn('alice')],
    [
      'ID token whose audience is the resource',
      (company) => company.logIn('alice', { clientId: company.resource, nonce: 'n-1' }),
    ],
    ['ID-JAG', async (company) => company.idJag(await company.logIn('alice'), company.issuer)],
    [
      'ID-JAG whose audience is the resource',
      async (company) => company.idJag(await company.logIn('alice'), company.resource),
    ],
  ])('is refused: %s', async (_, tokenOf) => {
    await using company = await openCompany();
    const headers = { authorization: `Bearer ${await tokenOf(company)}` };

    const response = await statelessRequest(company.resource, 'tools/list', {}, { headers });

    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
  });

  it('is refused where tokens must say what they are, even if nothing else gives it away', async () => {
    await using company = await openCompany({ requireAccessTokenType: true });
    const idToken = await company.logIn('alice', { clientId: company.resource });

    const response = await statelessRequest(
      company.resource,
      'tools/list',
      {},
      { headers: { authorization: `Bearer ${idToken}` } },
    );

    expect(response.status).toBe(401);
  });
});
