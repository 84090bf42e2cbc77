import { describe, expect, it } from 'vitest';
import { HostChecks, requestedHost } from './host-checks.js';

const FORBIDDEN = expect.objectContaining({ reason: 'FORBIDDEN', status: 403 });
const local = new HostChecks(['localhost', '127.0.0.1', '[::1]'], ['https://app.example']);

describe('Host', () => {
  it.each(['localhost', 'LOCALHOST:1', '127.0.0.1:65535', '[::1]', '[::1]:80'])('%s is served', (host) => {
    expect(() => local.check(host, undefined)).not.toThrow();
  });

  it.each([
    undefined,
    '',
    'localhost:',
    'localhost:80:80',
    'localhost:123456',
    '::1',
    '[::1',
    'x@localhost',
    'localhost ',
  ])('%j is refused', (host) => {
    expect(() => local.check(host, undefined)).toThrow(FORBIDDEN);
  });

  it('does not matter when any is allowed', () => {
    expect(() => new HostChecks(['*'], []).check(undefined, undefined)).not.toThrow();
  });

  it('is allowed by name, in whatever case the operator wrote it', () => {
    expect(() => new HostChecks(['MCP.Example'], []).check('mcp.example:443', undefined)).not.toThrow();
  });
});

describe('Origin', () => {
  it.each(['https://app.example', 'HTTPS://APP.EXAMPLE', 'http://localhost:5173', 'https://[::1]:8443'])(
    '%s is let in',
    (origin) => {
      expect(() => local.check('localhost', origin)).not.toThrow();
    },
  );

  it.each([
    '',
    'null',
    'http://app.example',
    'https://app.example:444',
    'http://evil.example',
    'file://localhost',
    'http://localhost/',
    'http://evil@localhost',
    'localhost',
  ])('"%s" is refused', (origin) => {
    expect(() => local.check('localhost', origin)).toThrow(FORBIDDEN);
  });

  it('of a loopback page is refused by a server that is not on loopback, even if any host is', () => {
    expect(() => new HostChecks(['mcp.example'], []).check('mcp.example', 'http://localhost')).toThrow(FORBIDDEN);
    expect(() => new HostChecks(['*'], []).check('mcp.example', 'http://localhost')).toThrow(FORBIDDEN);
  });
});

it.each([
  ['https://app.example/', 'Write https://app.example instead.'],
  ['https://app.example:443', 'Write https://app.example instead.'],
  ['https://app.example/path', 'Write https://app.example instead.'],
  ['app.example', 'Write it as'],
  ['null', 'Write it as'],
  ['*', 'Write it as'],
  ['file://localhost', 'Write it as'],
])('an allowed origin that no browser sends is refused at once: %s', (origin, what) => {
  expect(() => new HostChecks([], [origin])).toThrow(what);
});

describe('requestedHost', () => {
  const of = (url: string, ...rawHeaders: string[]) =>
    requestedHost({ url, rawHeaders, headers: { host: rawHeaders[1] } });

  it('is the Host header', () => {
    expect(of('/mcp', 'Host', 'localhost:3000')).toBe('localhost:3000');
    expect(of('/mcp')).toBeUndefined();
  });

  it('is the host of the target where that is a whole address', () => {
    expect(of('http://evil.example:81/mcp', 'Host', 'localhost')).toBe('evil.example:81');
    expect(of('//', 'Host', 'localhost')).toBe('localhost');
    expect(of('evil.example', 'Host', 'localhost')).toBeUndefined();
  });

  it('cannot be two', () => {
    expect(() => of('/mcp', 'Host', 'localhost', 'Accept', '*/*', 'hOST', 'localhost')).toThrow(
      expect.objectContaining({ reason: 'INVALID_REQUEST' }),
    );
  });

  it('is not mistaken in a header whose value says Host', () => {
    expect(of('/mcp', 'Host', 'host', 'From', 'host')).toBe('host');
  });
});
