import { describe, expect, it } from 'vitest';
import { ScopeHierarchy } from './scope-hierarchy.js';
import type { Claims } from './token-checks.js';
import { principalOf, type PrincipalSettings } from './token-principal.js';

const ISSUER = 'https://login.example.com';

function principal(claims: Claims, settings: Partial<PrincipalSettings> = {}) {
  const all = { issuer: ISSUER, tenantClaim: undefined, rolesClaim: 'roles', ...settings };
  return principalOf({ iss: ISSUER, ...claims }, all, new ScopeHierarchy({ write: ['read'] }));
}

describe('principalOf', () => {
  it('takes from the claims who calls, and keeps the rest', () => {
    const claims = { sub: 'alice', client_id: 'cli', aud: 'x', exp: 1_000, iat: 1, scope: 'write  list', roles: ['a'] };
    expect(principal({ ...claims, tid: 'acme', acr: 'gold' }, { tenantClaim: 'tid' })).toEqual({
      issuer: 'https://login.example.com',
      subject: 'alice',
      client: 'cli',
      tenant: 'acme',
      scopes: new Set(['write', 'read', 'list']),
      roles: new Set(['a']),
      expiresAt: 1_000_000,
      claims: { acr: 'gold' },
    });
  });

  it.each([
    [{ azp: 'app' }, 'app'],
    [{ cid: 'app' }, 'app'],
    [{ client_id: 'one', azp: 'other' }, 'one'],
    [{}, undefined],
  ])('finds the client in %j', (claims, client) => {
    expect(principal({ sub: 'alice', ...claims }).client).toBe(client);
  });

  it('takes a client that acts for itself for the subject', () => {
    expect(principal({ client_id: 'machine' })).toMatchObject({ subject: 'machine', client: 'machine' });
  });

  it.each([{}, { sub: '' }, { sub: 1, client_id: 'cli' }, { sub: null, client_id: 'cli' }])('refuses %j', (claims) => {
    expect(() => principal(claims)).toThrow('The token names neither a subject nor a client');
  });

  it.each([
    [{ scp: 'a b' }, ['a', 'b']],
    [{ scp: ['a', 'b', 3, 'c d'] }, ['a', 'b']],
    [{ scope: 'a', scp: 'b' }, ['a']],
    [{ scope: 7 }, []],
  ])('reads the scopes of %j', (claims, scopes) => {
    expect([...principal({ sub: 'alice', ...claims }).scopes]).toEqual(scopes);
  });

  it('reads roles and tenant at a path, or under a name with dots, and of own properties alone', () => {
    const claims = { sub: 'a', realm_access: { roles: ['r', 5] }, 'https://x.example/t': 'acme' };
    const found = principal(claims, { rolesClaim: 'realm_access.roles', tenantClaim: 'https://x.example/t' });
    expect(found).toMatchObject({ roles: new Set(['r']), tenant: 'acme' });
    expect(principal({ sub: 'a', roles: 'one' }).roles).toEqual(new Set(['one']));
    expect(principal(claims, { tenantClaim: 'constructor.name' }).tenant).toBeUndefined();
  });

  it.each([[''], [7], [null], [['acme']], [{}]])('refuses a tenant that is %j', (org) => {
    const settings = { tenantClaim: 'org' };
    expect(() => principal({ sub: 'a', org }, settings)).toThrow(
      'The token names its tenant in a form that is not accepted',
    );
    expect(principal({ sub: 'a', org }).tenant).toBeUndefined();
    expect(principal({ sub: 'a' }, settings).tenant).toBeUndefined();
  });

  it('lets nobody write into scopes and roles', () => {
    const { scopes, roles } = principal({ sub: 'a', scope: 'read', roles: ['clerk'] });
    for (const set of [scopes, roles] as Set<string>[]) {
      expect(() => set.add('admin')).toThrow('A principal cannot be changed: copy the set before you call add().');
      expect(() => set.delete('read')).toThrow(TypeError);
      expect(() => set.clear()).toThrow(TypeError);
    }
    expect([new Set(scopes).add('more').size, scopes, roles]).toEqual([2, new Set(['read']), new Set(['clerk'])]);
  });

  it('knows no end that a Date could not hold', () => {
    expect(principal({ sub: 'a', exp: 1e300 }).expiresAt).toBe(8_640_000_000_000_000);
    expect(principal({ sub: 'a' }).expiresAt).toBeUndefined();
  });

  it('freezes the claims to the bottom', () => {
    const { claims } = principal({ sub: 'a', deep: [{ er: {} }] });
    expect(Object.isFrozen((claims['deep'] as [{ er: object }])[0].er)).toBe(true);
  });
});
