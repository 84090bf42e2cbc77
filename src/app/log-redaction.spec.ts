import { describe, expect, it } from 'vitest';
import { safeError, safeText, safeValue } from './log-redaction.js';

const MARK = 'Sup3rSecretMarker';
const JWT = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.${MARK}`;

describe('a text', () => {
  it.each([
    [`Authorization: Bearer ${MARK}`],
    [`it was sent "authorization":"Bearer ${MARK}"`],
    [`proxy-authorization=Basic ${MARK}==`],
    [`a Bearer ${MARK} was refused`],
    [`the token ${JWT} has expired`],
    [`Cookie: a=1; sid=${MARK}`],
    [`mcp-session-id: ${MARK}`],
    [`redis://admin:${MARK}@cache:6379 is away`],
    [`GET https://api.example/forecast?key=${MARK}&day=1 failed`],
    [`POST /mcp?${MARK}`],
    [`access_token=${MARK}&state=1`],
    [`{"client_secret":"${MARK}"}`],
    [`password: ${MARK}`],
    [`apiKey='${MARK}'`],
    [`{"data":"{\\"password\\":\\"${MARK}\\"}"}`],
    [`{"data":"{\\"a\\":\\"{\\\\\\"token\\\\\\":\\\\\\"${MARK}\\\\\\"}\\"}"}`],
    [`"authorization\\":\\"Basic2 ${MARK}\\"`],
    [`{"password":"a\\"b ${MARK}"}`],
    [`password: "with blanks, ${MARK}`],
    [`pwd=${MARK}`],
    [`DB_PASSWORD=${MARK}`],
    [`AccountName=a;AccountKey=${MARK}==;EndpointSuffix=b`],
    [`Endpoint=sb://a;SharedAccessKeyName=b;SharedAccessKey=${MARK}=`],
    [`-----BEGIN PRIVATE KEY-----\n${MARK}\n-----END PRIVATE KEY-----`],
  ])('does not hold what is secret in %j', (text) => {
    expect(safeText(text)).toContain('[redacted]');
    expect(safeText(text)).not.toContain(MARK);
  });

  it.each([
    'MCP is served on http://127.0.0.1:3000/mcp',
    'AUTH_RESOURCE is missing: the URL by which clients reach the MCP endpoint. Tokens are issued for it.',
    'Redis answers, but its messages do not come through: is SUBSCRIBE allowed, and a connection free?',
    'AUTH_SHARED_SECRET: must be 32 bytes',
    'Mapped {/health/live, GET} route',
  ])('stays as it is: %s', (text) => {
    expect(safeText(text)).toBe(text);
  });

  it('cannot move the cursor of a terminal, nor turn its direction', () => {
    expect(safeText('a\u001b[2Kb\rc\u009bd\u202ee\u0007')).toBe('a\\u001b[2Kb\\u000dc\\u009bd\\u202ee\\u0007');
  });

  it.each([
    ['redis://admin:', '@cache:6379 is away'],
    ['password=', '" is wrong'],
    ['eyJhbGciOiJFUzI1NiJ9.', ' has expired'],
  ])('does not show the beginning of a secret by being cut, as of %s', (before, after) => {
    for (const length of [7_950, 7_960, 7_970, 7_975, 7_980, 7_985, 7_990]) {
      const text = `${'a'.repeat(length)} ${before}${MARK.repeat(3)}${after} ${'z'.repeat(2_000)}`;

      expect(safeText(text)).not.toContain('Sup3');
    }
  });

  it('does not show what was behind the cut in the place of what is redacted', () => {
    const text = `password=${'a'.repeat(4_000)} ${'b'.repeat(4_580)} redis://u:${MARK}${'c'.repeat(400)}@cache`;

    expect(safeText(text)).not.toContain(MARK);
  });

  it('keeps the JSON around what is redacted', () => {
    expect(safeText('{"a":{"password":"abc","b":1}}')).toBe('{"a":{"password":"[redacted]","b":1}}');
  });

  it('is cut', () => {
    expect(safeText('a'.repeat(9_000))).toBe(`${'a'.repeat(8_000)}… [1000 characters cut]`);
  });

  it.each([
    ['a.'],
    ['a://'],
    ['?a'],
    ['bearer '],
    ['eyJ'],
    ['-----BEGIN A-----'],
    ['cookie '],
    ['secret: '],
    ['secret="'],
    ['\\'],
  ])('of %j a thousand times over is looked through in no time', (part) => {
    const text = part.repeat(100_000);
    const begun = performance.now();

    safeText(text);

    // What is not linear takes minutes.
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

describe('an object', () => {
  it.each([
    'authorization',
    'Proxy-Authorization',
    'cookie',
    'set-cookie',
    'mcp-session-id',
    'sessionId',
    'access_token',
    'refreshToken',
    'id_token',
    'client_secret',
    'password',
    'pwd',
    'AccountKey',
    'SharedAccessKey',
    'apiKey',
    'X-Api-Key',
    'privateKey',
    'arguments',
    'params',
    'code_verifier',
    'requestState',
  ])('does not hold what is called %s, however deep', (name) => {
    expect(safeValue({ a: [{ [name]: { any: MARK } }], ok: 1 })).toEqual({ a: [{ [name]: '[redacted]' }], ok: 1 });
  });

  it('holds texts without what is secret in them', () => {
    expect(JSON.stringify(safeValue({ a: `Bearer ${MARK}`, b: [new URL(`https://a.example/?q=${MARK}`)] }))).toBe(
      '{"a":"Bearer [redacted]","b":["https://a.example/?[redacted]"]}',
    );
  });

  it('is copied within bounds, whatever it is', () => {
    const hostile: Record<string, unknown> = {
      big: 1n,
      bytes: Buffer.from(MARK),
      map: new Map([[1, 2]]),
      run: () => 1,
    };
    hostile['self'] = hostile;
    Object.defineProperty(hostile, 'trap', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    hostile['deep'] = { a: { b: { c: { d: { e: 1 } } } } };
    hostile['many'] = Array.from({ length: 60 }, () => 1);

    expect(safeValue(hostile)).toEqual({
      big: '1',
      bytes: '[17 bytes]',
      map: '[1 entries]',
      run: '[function]',
      self: '[seen]',
      trap: '[unreadable]',
      deep: { a: { b: { c: { d: '[deeper]' } } } },
      many: [...Array.from({ length: 50 }, () => 1), '[10 more]'],
    });
  });

  it('of any size becomes a line of some thousand characters', () => {
    const wide = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`k${index}`, 'x'.repeat(5_000)]));

    expect(JSON.stringify(safeValue({ wide, wider: [wide, wide] })).length).toBeLessThan(30_000);
  });
});

it('an error says what caused it, and nothing that is secret', () => {
  const cause = Object.assign(new TypeError(`redis://a:${MARK}@b`), { code: 'ECONNREFUSED' });

  const logged = safeError(new Error('It failed.', { cause }));

  expect(logged).toMatchObject({
    type: 'Error',
    message: 'It failed.',
    cause: { type: 'TypeError', message: 'redis://[redacted]@b', code: 'ECONNREFUSED' },
  });
  expect(JSON.stringify(logged)).not.toContain(MARK);
});
