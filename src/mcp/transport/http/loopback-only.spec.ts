import { describe, expect, it } from 'vitest';
import { isLoopbackAddress, requireLoopback } from './loopback-only.js';

const at = (localAddress?: string, destroyed = false, headers: Record<string, string> = {}) => ({
  headers,
  socket: { localAddress, destroyed } as { destroyed: boolean },
});

describe('requireLoopback', () => {
  it.each(['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', undefined])(
    'lets in what came to %j',
    (address) => {
      expect(() => requireLoopback(at(address))).not.toThrow();
    },
  );

  it.each(['10.0.0.1', '128.0.0.1', '126.255.255.255', '::', '::2', 'fe80::1', '::ffff:10.0.0.1', 'localhost', ''])(
    'refuses what came to %j, and says what to do',
    (address) => {
      expect(() => requireLoopback(at(address))).toThrow(
        expect.objectContaining({ status: 403, message: expect.stringMatching(/authentication.*AUTH_MODE=none/) }),
      );
    },
  );

  it.each(['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'])(
    'refuses what a proxy on this machine passed on for others: %s',
    (name) => {
      expect(() => requireLoopback(at('127.0.0.1', false, { [name]: 'x' }))).toThrow(
        expect.objectContaining({ status: 403 }),
      );
    },
  );

  it('does not take a connection that is gone for a Unix socket', () => {
    expect(() => requireLoopback(at(undefined, true))).toThrow(expect.objectContaining({ status: 403 }));
  });
});

describe('isLoopbackAddress', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.8.8.8', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])(
    '%s is',
    (host) => {
      expect(isLoopbackAddress(host)).toBe(true);
    },
  );

  it.each(['', '0.0.0.0', '::', '10.0.0.1', 'example.com', 'localhost.evil.example', '127.1', '127.0.0.1.nip.io'])(
    '"%s" is not',
    (host) => {
      expect(isLoopbackAddress(host)).toBe(false);
    },
  );
});
