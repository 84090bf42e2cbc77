import { describe, expect, it } from 'vitest';
import { CorsPolicy, PUBLIC_CORS } from './cors.js';

const APP = 'https://app.example';
const cors = new CorsPolicy((origin) => origin === APP);
const FORBIDDEN = expect.objectContaining({ reason: 'FORBIDDEN', status: 403 });

const STANDARD =
  'Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID, Mcp-Method, Mcp-Name, traceparent, tracestate, baggage';

/** The headers that a preflight with these request headers allows. */
const allowed = (asked?: string): string | undefined =>
  cors.preflight({ origin: APP, ...(asked !== undefined && { 'access-control-request-headers': asked }) }).headers[
    'access-control-allow-headers'
  ];

describe('a reply', () => {
  it('can be read by pages of the one origin that asked', () => {
    expect(cors.headersFor(APP)).toEqual({
      'access-control-allow-origin': 'https://app.example',
      'access-control-expose-headers': 'Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After',
      vary: 'Origin',
    });
  });

  it.each([undefined, '', 'https://evil.example', 'http://app.example', 'null', '*'])(
    'to the origin %j can be read by no page, and caches keep it apart',
    (origin) => {
      expect(cors.headersFor(origin)).toEqual({ vary: 'Origin' });
    },
  );

  it.each(['null', '*'])('to the origin %j cannot be read even if that is on the list', (origin) => {
    expect(new CorsPolicy(() => true).headersFor(origin)).toEqual({ vary: 'Origin' });
  });
});

describe('a preflight', () => {
  it('is told what every revision needs, and nothing of credentials', () => {
    expect(cors.preflight({ origin: APP, 'access-control-request-method': 'POST' })).toEqual({
      status: 204,
      headers: {
        'access-control-allow-origin': 'https://app.example',
        'access-control-allow-methods': 'GET, POST, DELETE',
        'access-control-allow-headers': STANDARD,
        'access-control-max-age': '600',
        vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
      },
    });
  });

  it('is told the same whatever else it asks for', () => {
    expect(allowed('authorization,cookie,x-evil,x-mcp-param-a')).toBe(STANDARD);
  });

  it('may ask for headers that mirror arguments, which no list can name', () => {
    expect(allowed('mcp-name, Mcp-Param-Region,mcp-param-x!y,mcp-param-region')).toBe(
      `${STANDARD}, mcp-param-region, mcp-param-x!y`,
    );
  });

  it.each(['mcp-param-', 'mcp-param-a b', 'mcp-param-ä', 'mcp-param-a:b', 'mcp-param-a\r\nx: y', 'mcp-params-a', '*'])(
    'may not ask for %j',
    (name) => {
      expect(allowed(name)).toBe(STANDARD);
    },
  );

  it('may not ask for a header whose name is longer than any tool declares', () => {
    expect(allowed(`mcp-param-${'x'.repeat(128)}`)).toHaveLength(STANDARD.length + 2 + 138);
    expect(allowed(`mcp-param-${'x'.repeat(129)}`)).toBe(STANDARD);
  });

  it('may ask for 64 of them', () => {
    const names = Array.from({ length: 70 }, (_, index) => `mcp-param-${index}`);

    expect(allowed(names.join(','))).toBe(`${STANDARD}, ${names.slice(0, 64).join(', ')}`);
  });

  it.each([undefined, '', 'null', '*', 'https://evil.example', 'https://app.example, https://evil.example'])(
    'from the origin %j is refused',
    (origin) => {
      expect(() => cors.preflight({ origin })).toThrow(FORBIDDEN);
    },
  );
});

it('a public document can be read by any page, with the header that clients of MCP send', () => {
  expect(PUBLIC_CORS).toEqual({
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET',
    'access-control-allow-headers': 'Accept, Content-Type, MCP-Protocol-Version',
    'access-control-max-age': '600',
  });
});
