import { describe, expect, it } from 'vitest';
import { readAccess } from './access-metadata.js';
import { RequireScopes } from './require-scopes.decorator.js';

describe('@RequireScopes()', () => {
  it('writes down a copy of what it was given, frozen', () => {
    const scopes = ['orders:read', 'orders:refund'];
    class Shop {
      @RequireScopes(...scopes)
      refund(): void {}
    }
    scopes.push('orders:delete');
    const [declared] = readAccess(Shop.prototype, 'refund');

    expect(declared).toEqual({ kind: 'scopes', scopes: ['orders:read', 'orders:refund'] });
    expect(Object.isFrozen(declared?.kind === 'scopes' && declared.scopes)).toBe(true);
  });

  it('needs a scope', () => {
    expect(() => RequireScopes()).toThrow(
      '@RequireScopes(): [] is no scope of a resource. Give one or more OAuth scopes.',
    );
  });

  it.each(['', 'a b', 'a"b', 'a\\b', 'ä', 'a\n', '\u007f'])('refuses %j, which RFC 6749 does not know', (scope) => {
    expect(() => RequireScopes('fine', scope)).toThrow(
      `@RequireScopes(): ${JSON.stringify(scope)} is no scope of a resource.`,
    );
  });

  it('refuses offline_access, which is for clients to ask for', () => {
    expect(() => RequireScopes('offline_access')).toThrow('"offline_access" is no scope of a resource.');
  });

  it.each(['!', 'https://mcp.example.com/orders.read', 'a:b,c/d', '~'])('takes %s', (scope) => {
    expect(() => RequireScopes(scope)).not.toThrow();
  });
});
