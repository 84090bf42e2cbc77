import fc from 'fast-check';
import type { HeaderLines } from './requests.js';

/** One change to the header lines of a request. */
export interface HeaderChange {
  readonly name: string;
  readonly what: 'set' | 'drop' | 'again' | 'same' | 'case' | 'edit' | 'cut' | 'pad';
  readonly value: string;
  /** Where in the present value, from 0 to 1. */
  readonly at: number;
}

/** Headers that somebody on the way reads. Those that frame the body have a test of their own. */
const NAMES = [
  'Host',
  'Origin',
  'Authorization',
  'Accept',
  'Content-Type',
  'Content-Encoding',
  'Mcp-Session-Id',
  'MCP-Protocol-Version',
  'Last-Event-ID',
  'Mcp-Method',
  'Mcp-Name',
  'Mcp-Param-Region',
  'Mcp-Param-Limit',
  'Mcp-Param-Other',
  'traceparent',
  'tracestate',
  'baggage',
  'Access-Control-Request-Method',
  'Access-Control-Request-Headers',
  'Cookie',
  'Forwarded',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-HTTP-Method-Override',
  'Accept-Version',
  'Range',
  'If-None-Match',
  'TE',
  'Trailer',
  'Expect',
  'Upgrade',
  'Connection',
];

const VALUES = [
  '',
  '*',
  'null',
  '*/*',
  'text/event-stream;q=0',
  'application/json;q=0, text/event-stream',
  'application/json; charset=utf-16',
  'application/json; charset="',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'gzip',
  'identity',
  'localhost',
  'localhost:99999',
  'evil.example',
  '[::1',
  '[::1]:80',
  'https://app.example',
  'https://APP.example:443',
  'http://localhost:1',
  'http://[',
  'file://',
  '2026-07-28',
  '2025-11-25',
  '2025-03-26',
  '2024-11-05',
  '2099-01-01',
  'tools/call',
  'tools/list',
  'order',
  'eu',
  '42',
  '042',
  '4.2e1',
  '0x2a',
  '9007199254740993',
  '=?base64?ZXU=?=',
  '=?base64?ZXU?=',
  '=?base64?//8=?=',
  '=?base64?=',
  'Bearer',
  'Bearer ',
  'bearer a b',
  'Bearer e30.e30.',
  'Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.',
  'Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6Il9fcHJvdG9fXyJ9.e30.AAAA',
  'Bearer bnVsbA.bnVsbA.bnVsbA',
  'Bearer opaque',
  'Basic YWxpY2U6cGFzcw==',
  'DPoP x',
  'changes.0',
  'changes.x.y.z',
  'changes.-1',
  '.',
  '_.0',
  'x_WzFd.1e9',
  '__proto__',
  '__proto__.0',
  'constructor',
  '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
  '00-00-00-00',
  'mcp-param-region, mcp-param-*, x',
  'bytes=0-1',
  '100-continue',
  'h2c',
  'websocket',
  'close',
  'upgrade, http2-settings',
  'x'.repeat(5_000),
  ','.repeat(3_000),
  'mcp-param-a,'.repeat(300),
];

/** Every byte that HTTP allows in a value (RFC 9110, section 5.5). */
const BYTES = ['\t', ...Array.from({ length: 256 - 32 }, (_, index) => String.fromCharCode(index + 32))].filter(
  (byte) => byte !== '\x7f',
);

const values = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...VALUES) },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom(...BYTES), maxLength: 40 }) },
);

export const headerChanges: fc.Arbitrary<HeaderChange[]> = fc.array(
  fc.record({
    name: fc.constantFrom(...NAMES, ...NAMES.slice(0, 13), 'Authorization', 'Authorization'),
    what: fc.constantFrom('set', 'set', 'set', 'drop', 'again', 'same', 'case', 'edit', 'edit', 'cut', 'pad'),
    value: values,
    at: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 3 },
);

/** The header lines after some changes. */
export function withHeaders(lines: HeaderLines, applied: readonly HeaderChange[]): HeaderLines {
  return applied.reduce(apply, lines);
}

function apply(lines: HeaderLines, { name, what, value, at }: HeaderChange): HeaderLines {
  const isIt = ([present]: readonly [string, string]): boolean => present.toLowerCase() === name.toLowerCase();
  const others = lines.filter((line) => !isIt(line));
  const [, present = value] = lines.find(isIt) ?? [];
  const place = Math.floor(at * present.length);
  switch (what) {
    case 'set':
      return [...others, [name, value]];
    case 'drop':
      return others;
    case 'again':
      return [...lines, [name.toLowerCase(), value]];
    case 'same':
      return [...lines, [name, present]];
    case 'case':
      return [...others, [name.toUpperCase(), present.toUpperCase()]];
    case 'edit':
      return [...others, [name, present.slice(0, place) + (value[0] ?? 'A') + present.slice(place + 1)]];
    case 'cut':
      return [...others, [name, present.slice(0, place)]];
    case 'pad':
      return [...others, [name, `\t ${present} \t`]];
  }
}

/** Lines that decide where a body ends, or that are none. */
const FRAMING = [
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 99999',
  'Content-Length: -1',
  'Content-Length: 1e3',
  'Content-Length: 99999999999999999999',
  'Content-Length: ',
  'Content-Length: 5, 5',
  'Content-Length : 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding\t: chunked',
  'Transfer-Encoding: x',
  ' folded: line',
  'no colon',
  ': no name',
  'N\0L: x',
  'X: a\rb',
  'X: \x01\x02',
  'X: \x7f',
  'Host: localhost',
  'Connection: close',
  'Connection: keep-alive, upgrade',
  'Expect: 100-continue',
  'Expect: something',
  'Upgrade: websocket',
  'Trailer: Authorization',
  `X-Long: ${'x'.repeat(17_000)}`,
  ...[101, 3_000].map((count) => Array.from({ length: count }, (_, index) => `a${index}: b`).join('\r\n')),
];

export const framing = fc.array(fc.constantFrom(...FRAMING), { maxLength: 3 });

/** Request lines, right and wrong. */
export const requestLines = fc.oneof(
  { weight: 5, arbitrary: fc.constant('POST /mcp HTTP/1.1') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'POST /mcp HTTP/1.0',
      'POST /mcp HTTP/2.0',
      'POST /mcp HTTP/9.9',
      'POST /mcp',
      'PRI * HTTP/2.0',
      'post /mcp HTTP/1.1',
      'POST  /mcp HTTP/1.1',
      'POST\t/mcp\tHTTP/1.1',
      'CONNECT localhost:80 HTTP/1.1',
      'OPTIONS * HTTP/1.1',
      'TRACE /mcp HTTP/1.1',
      'BREW /mcp HTTP/1.1',
      '\r\n\r\nPOST /mcp HTTP/1.1',
      'GET http://evil.example/mcp HTTP/1.1',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 60 }) },
);

/** Bodies that may fit their framing. */
export const bodies = fc.oneof(
  fc.constantFrom(
    '',
    '0\r\n\r\n',
    '5\r\nhello\r\n0\r\n\r\n',
    '5;x="y"\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n',
    '-1\r\n\r\n',
    'fffffffffffffffff\r\n',
    '2\r\n{}\r\n0\r\n\r\n',
    '{}',
    '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
);
