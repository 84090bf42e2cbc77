import { describe, expect, it } from 'vitest';
import { OidcServer } from '../../support/oauth/oidc-server.js';
import { OAUTH_CLIENTS } from './oauth-clients.js';
import { CALLBACK, Person } from './person.js';
import { freeResource, OpeningHours, serveShop, SHOP_SCOPES } from './protected-shop.js';
import { stopWallClock } from './wall-clock.js';

const expireAccessTokens = stopWallClock();

const USERS = { alice: { tenant: 'acme' }, bob: { tenant: 'acme' } };

/** A shop whose callers log in at a server of the shop's own. Whether it has something for those who do not, too? */
async function openShop({ hours = false, anonymous = true } = {}) {
  const resource = await freeResource();
  const as = await OidcServer.start({ resources: { [resource]: SHOP_SCOPES }, users: USERS });
  const issuers = [{ issuer: as.issuer, tenantClaim: 'tenant' }];
  const auth = { issuers, requiredScopes: ['orders:read'], anonymous };
  const shop = await serveShop(resource, auth, hours ? [OpeningHours] : []);
  return {
    resource,
    issuer: as.issuer,
    person: (user: keyof typeof USERS) => new Person(as.browser(user)),
    [Symbol.asyncDispose]: async () => {
      await shop[Symbol.asyncDispose]();
      await as[Symbol.asyncDispose]();
    },
  };
}

describe.each(OAUTH_CLIENTS)('$name, with a person', ({ connect, era }) => {
  it('goes from a 401 by way of metadata, registration and PKCE to a token', async () => {
    await using shop = await openShop();
    const alice = shop.person('alice');

    await using client = await connect(shop.resource, alice);

    expect(client.trace.slice(0, 6)).toEqual([
      'POST /mcp 401',
      'GET /.well-known/oauth-protected-resource/mcp 200',
      'GET /.well-known/oauth-authorization-server 200',
      'POST /reg 201',
      'POST /token 200',
      'POST /mcp 200',
    ]);
    expect(alice.asked).toEqual([
      expect.objectContaining({
        response_type: 'code',
        code_challenge: expect.stringMatching(/^[\w-]{43}$/),
        code_challenge_method: 'S256',
        redirect_uri: CALLBACK,
        resource: shop.resource,
        scope: expect.stringMatching(/^orders:read( offline_access)?$/),
      }),
    ]);
    expect(alice.answer?.get('iss')).toBe(shop.issuer);
  });

  it('lists and calls what the token is good for, as the person it was given for', async () => {
    await using shop = await openShop();
    const alice = shop.person('alice');
    await using client = await connect(shop.resource, alice);

    const tools = await client.listTools();
    const orders = await client.call('orders');
    const who = await client.call('whoami');

    expect(tools).toEqual(['orders', 'session', 'whoami']);
    expect(orders).toBe('ORD-001, ORD-002');
    expect(JSON.parse(who)).toEqual({
      issuer: shop.issuer,
      subject: 'alice',
      client: alice.clientInformation()?.client_id,
      tenant: 'acme',
      scopes: ['orders:read'],
    });
  });

  it('asks the person for the further scope that a tool needs, on top of those it has', async () => {
    await using shop = await openShop();
    const alice = shop.person('alice');
    await using client = await connect(shop.resource, alice);
    const session = await client.call('session');

    const result = await client.call('refund');

    expect(result).toBe('refunded');
    expect(client.trace).toContain('POST /mcp 403');
    expect(alice.asked.map(({ scope }) => scope?.split(' ').filter((one) => one !== 'offline_access'))).toEqual([
      ['orders:read'],
      ['orders:read', 'orders:refund'],
    ]);
    expect(await client.call('session')).toBe(session);
    expect(await client.listTools()).toEqual(['orders', 'refund', 'session', 'whoami']);
  });

  it('goes on with the same session after a refresh, without the person', async () => {
    await using shop = await openShop();
    const alice = shop.person('alice');
    await using client = await connect(shop.resource, alice);
    await client.call('refund');
    const session = await client.call('session');
    const before = alice.tokens();
    client.trace.length = 0;

    expireAccessTokens();
    const result = await client.call('refund');

    expect(result).toBe('refunded');
    expect(client.trace.filter((line) => line.startsWith('POST'))).toEqual([
      'POST /mcp 401',
      'POST /token 200',
      'POST /mcp 200',
    ]);
    expect(alice.asked).toHaveLength(2);
    expect(alice.tokens()?.access_token).not.toBe(before?.access_token);
    expect(alice.tokens()?.refresh_token).not.toBe(before?.refresh_token);
    expect(await client.call('session')).toBe(session);
    expect(session).toMatch(era === 'session' ? /^[\w-]{20,}$/ : /^none$/);
  });

  it('goes on with the same session when the person has had to log in again', async () => {
    await using shop = await openShop();
    const alice = shop.person('alice');
    await using client = await connect(shop.resource, alice);
    const session = await client.call('session');

    alice.invalidateCredentials('tokens');

    expect(await client.call('session')).toBe(session);
    expect(alice.asked).toHaveLength(2);
  });

  it('keeps two people apart who use the same client', async () => {
    await using shop = await openShop();
    await using alice = await connect(shop.resource, shop.person('alice'));
    await using bob = await connect(shop.resource, shop.person('bob'));

    const names = [await alice.call('whoami'), await bob.call('whoami')].map((who) => JSON.parse(who).subject);

    expect(names).toEqual(['alice', 'bob']);
  });

  it('logs in at once where nobody is let in without a token, whatever is public', async () => {
    await using shop = await openShop({ hours: true, anonymous: false });
    await using client = await connect(shop.resource, shop.person('alice'));

    expect(client.trace[0]).toBe('POST /mcp 401');
    expect(await client.call('hours')).toBe('9 to 5, alice');
  });
});

describe.each(OAUTH_CLIENTS)('$name', ({ connect }) => {
  it('uses what is public until it needs a token, and then goes on with the session it has', async () => {
    await using shop = await openShop({ hours: true });
    const alice = shop.person('alice');
    await using client = await connect(shop.resource, alice);

    const tools = await client.listTools();
    const hours = await client.call('hours');
    const asked = alice.asked.length;
    const orders = await client.call('orders');

    expect(tools).toEqual(['hours']);
    expect(hours).toBe('9 to 5, anonymous');
    expect(asked).toBe(0);
    expect(orders).toBe('ORD-001, ORD-002');
    expect(await client.listTools()).toEqual(['hours', 'orders', 'session', 'whoami']);
  });
});
