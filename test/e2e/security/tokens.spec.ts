import { type KeyObject, createHmac, createPublicKey, sign } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { McpTool, Public, RequireScopes } from '../../../src/index.js';
import { TEST_RESOURCE, TestIssuer } from '../../support/oauth/test-issuer.js';
import { type Json, post, statelessRequest } from '../../support/wire.js';
import { JSON_HEADERS, exchange, expectNoTrace, postBytes } from '../robustness/raw.js';
import { GuardedApp, KNOCKS, METADATA, as, bearer, sessionFor } from './guarded-app.js';

const SIGNATURE = 'The signature of the token is not valid';
const ALGORITHM = 'The token is signed in a way that is not accepted';
const EXPIRED = 'The token has expired, or does not say when it will';
const EARLY = 'The token is not valid yet';
const ISSUER = 'The token is from an issuer that is not accepted';
const AUDIENCE = 'The token is for another audience';
const KIND = 'The token is no access token';
const BINDING = 'The token is bound to a key, and possession cannot be proved here';
const MALFORMED = 'The Authorization header holds no well-formed bearer token';
const FORM = 'The token is of a form that is not accepted';
const SUBJECT = 'The token names neither a subject nor a client';

const NEEDED = 'This request needs an access token. Get one as the WWW-Authenticate header says.';
const REFUSED = 'The access token was not accepted. Get a new one as the WWW-Authenticate header says.';
const ORIGIN = 'https://app.example';

@Injectable()
class Tools {
  @McpTool()
  hello(): string {
    return 'hello';
  }
}

let app: GuardedApp;
let issuer: TestIssuer;
/** Another issuer that the server trusts, one that it does not, and whoever embeds his own keys. */
let second: TestIssuer;
let stranger: TestIssuer;

beforeAll(async () => {
  second = await TestIssuer.start({ algs: ['ES256'] });
  stranger = await TestIssuer.start({ algs: ['ES256', 'RS256'] });
  issuer = await TestIssuer.start({ path: '/realms/acme', algs: ['RS256', 'ES256'] });
  app = await GuardedApp.start({
    providers: [Tools],
    options: { http: { allowedOrigins: [ORIGIN] } },
    auth: {
      issuers: [{ issuer: issuer.issuer, algorithms: ['RS256', 'ES256'] }, { issuer: second.issuer }],
      requiredScopes: ['mcp:read'],
    },
  });
});
afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  for (const each of [issuer, second, stranger]) await each?.[Symbol.asyncDispose]();
});

const seconds = (): number => Math.floor(Date.now() / 1_000);
const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const decode = (part: string | undefined): Json => JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Json;

/** The parts of a good token, to be put together in a wrong way. */
async function parts(claims: Json = {}): Promise<[header: string, payload: string, signature: string]> {
  return (await issuer.token(claims)).split('.') as [string, string, string];
}

/** A token with a header of the attacker's own, and what a good one says; signed as he likes. */
async function forged(header: Json, signed: (input: string) => string = () => ''): Promise<string> {
  const [, payload] = await parts();
  const input = `${encode(header)}.${payload}`;
  return `${input}.${signed(input)}`;
}

/** Key id of the key that the issuer signs with. */
async function keyId(from = issuer, alg?: string): Promise<unknown> {
  return decode((await from.token({}, alg === undefined ? {} : { alg })).split('.')[0])['kid'];
}

function challenge(description: string): string {
  return `Bearer ${METADATA}, error="invalid_token", error_description="${description}", scope="mcp:read"`;
}

describe.each(KNOCKS)('a token in the $era era', ({ knock }) => {
  async function expectRefused(authorization: string, description: string): Promise<void> {
    const response = await knock(app.url, { authorization });
    const body = await response.text();

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, challenge(description)]);
    expect(JSON.parse(body)).toEqual({ jsonrpc: '2.0', error: { code: 401, message: REFUSED } });
    expect(response.headers.get('mcp-session-id')).toBeNull();
  }
  const refused = (token: string, description: string): Promise<void> => expectRefused(`Bearer ${token}`, description);
  async function accepted(token: string, scheme = 'Bearer'): Promise<void> {
    const response = await knock(app.url, { authorization: `${scheme} ${token}` });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('"result"')]);
  }

  describe('that is good', () => {
    it.each(['RS256', 'ES256'])('is accepted when it is signed with %s', async (alg) => {
      await accepted(await issuer.token({}, { alg }));
    });

    it.each(['bearer', 'BEARER', 'bEaReR', 'Bearer  '])('is accepted under the scheme "%s"', async (scheme) => {
      await accepted(await issuer.token(), scheme);
    });

    it('is accepted from each issuer that is trusted', async () => {
      await accepted(await second.token());
    });

    it('is accepted at a length of 8,000 characters', async () => {
      await accepted(await issuer.token({ groups: 'g'.repeat(5_500) }));
    });
  });

  describe('whose signature is none', () => {
    it.each(['none', 'None', 'NONE', 'nOnE', 'none ', '', 'null'])('is refused as alg "%s"', async (alg) => {
      const [, , signature] = await parts();

      await refused(await forged({ alg, typ: 'at+jwt' }), ALGORITHM);
      await refused(await forged({ alg, typ: 'at+jwt', kid: await keyId() }, () => signature), ALGORITHM);
    });

    it.each([[null], [undefined], [['none']], [0]])('is refused as alg %j, which is no text', async (alg) => {
      await refused(await forged({ alg, typ: 'at+jwt', kid: await keyId() }), FORM);
    });

    it('is refused when it is left out under an algorithm that is accepted', async () => {
      const [header, payload] = await parts();

      await refused(`${header}.${payload}.`, SIGNATURE);
    });
  });

  describe('that is signed with the public key as a secret', () => {
    it.each(['HS256', 'HS384', 'HS512'])('is refused as %s, in whatever form the key is', async (alg) => {
      const pem = await issuer.publicKeyPem();
      const key = createPublicKey(pem);
      const secrets = [
        pem,
        pem.trim(),
        key.export({ type: 'spki', format: 'der' }),
        key.export({ type: 'pkcs1', format: 'pem' }),
        JSON.stringify(key.export({ format: 'jwk' })),
      ];

      for (const secret of secrets) {
        const mac = (input: string) => createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url');
        await refused(await forged({ alg, typ: 'at+jwt', kid: await keyId() }, mac), ALGORITHM);
        await refused(await forged({ alg: 'RS256', typ: 'at+jwt', kid: await keyId() }, mac), SIGNATURE);
      }
    });

    it('is refused where that key is all the server was given', async () => {
      const pem = await issuer.publicKeyPem();
      await using fixed = await GuardedApp.start({
        auth: { issuers: [{ issuer: issuer.issuer, publicKey: pem }], anonymous: false },
      });
      const mac = (input: string) => createHmac('sha256', pem).update(input).digest('base64url');

      const bad = await knock(fixed.url, bearer(await forged({ alg: 'HS256', typ: 'at+jwt' }, mac)));
      const good = await knock(fixed.url, bearer(await issuer.token()));

      expect([bad.status, good.status]).toEqual([401, 200]);
      expect(bad.headers.get('www-authenticate')).toContain(ALGORITHM);
    });
  });

  describe('that is signed with a wrong key or algorithm', () => {
    it.each(['RS384', 'RS512', 'PS256', 'ES384', 'EdDSA', 'rs256', 'RS1'])('is refused as %s', async (alg) => {
      const [, , signature] = await parts();
      await refused(await forged({ alg, typ: 'at+jwt', kid: await keyId() }, () => signature), ALGORITHM);
    });

    it('is refused when its algorithm is not that of the key it names', async () => {
      const [, , signature] = await parts();
      const kid = await keyId(issuer, 'RS256');

      await refused(await forged({ alg: 'ES256', typ: 'at+jwt', kid }, () => signature), SIGNATURE);
    });

    it('is refused with the key of another issuer, under its own id or under one of this issuer', async () => {
      const { privateKey } = await generateKeyPair('ES256');
      const iss = issuer.issuer;

      await refused(await second.token({ iss }), SIGNATURE);
      await refused(await second.token({ iss }, { kid: (await keyId(issuer, 'ES256')) as string }), SIGNATURE);
      await refused(await second.token({ iss }, { kid: null }), SIGNATURE);
      await refused(await issuer.token({}, { alg: 'ES256', key: privateKey }), SIGNATURE);
    });

    it.each([7, {}, ['a'], null, 'k'.repeat(1_025)])('is refused when its key id is %j', async (kid) => {
      await refused(await issuer.token({}, { header: { kid } }), SIGNATURE);
    });

    it.each(['../../etc/passwd', "' OR 1=1 --", '__proto__', 'constructor', '/dev/null', 'http://127.0.0.1/jwks'])(
      'is refused when its key id is %s',
      async (kid) => {
        const mac = (input: string) => createHmac('sha256', '').update(input).digest('base64url');
        await refused(await forged({ alg: 'ES256', typ: 'at+jwt', kid }, mac), SIGNATURE);
      },
    );
  });

  describe('that brings its own key', () => {
    /** Signed by the attacker, whose key is in the header in every form there is. */
    async function selfSigned(kid: unknown): Promise<string> {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      const header = {
        ...(kid !== undefined && { kid }),
        jwk: await exportJWK(publicKey),
        jku: stranger.jwksUri,
        x5u: stranger.jwksUri,
        x5c: [Buffer.from('a certificate').toString('base64')],
        x5t: 'thumb',
      };
      return issuer.token({}, { alg: 'ES256', key: privateKey, kid: null, header });
    }

    it('is refused, and nothing is fetched from where it says', async () => {
      const { jwksFetches } = stranger;

      await refused(await selfSigned(undefined), SIGNATURE);
      await refused(await selfSigned(await keyId(issuer, 'ES256')), SIGNATURE);
      await refused(await selfSigned(await keyId(stranger, 'ES256')), SIGNATURE);
      await refused(await stranger.token({ iss: issuer.issuer }, { header: { jku: stranger.jwksUri } }), SIGNATURE);

      expect(stranger.jwksFetches).toBe(jwksFetches);
    });

    it('is accepted for its real signature alone', async () => {
      await accepted(await issuer.token({}, { header: { jku: stranger.jwksUri, jwk: { kty: 'oct', k: 'AA' } } }));
      expect(stranger.jwksFetches).toBe(0);
    });

    it.each([
      { crit: ['exp'], exp: 1 },
      { crit: ['b64'], b64: true },
      { crit: ['urn:x'], 'urn:x': 1 },
    ])('is refused when something in its header is critical: %j', async (header) =>
      refused(await issuer.token({}, { header }), ALGORITHM),
    );

    it.each([{ crit: [] }, { crit: 'exp' }, { crit: null }, { b64: false }])(
      'is refused when its header is critical in a wrong way: %j',
      async (header) => refused(await forged({ alg: 'RS256', typ: 'at+jwt', ...header }), ALGORITHM),
    );
  });

  describe('of a wrong issuer', () => {
    it.each<[string, (iss: string) => unknown]>([
      ['somebody else', () => 'https://evil.example'],
      ['the issuer with a slash behind', (iss) => `${iss}/`],
      ['the issuer in another case', (iss) => iss.replace('acme', 'Acme')],
      ['the issuer with its scheme in another case', (iss) => iss.replace('http', 'HTTP')],
      ['the issuer over TLS', (iss) => iss.replace('http:', 'https:')],
      ['the host of the issuer', (iss) => iss.replace('/realms/acme', '')],
      ['a path below the issuer', (iss) => `${iss}/x`],
      ['the issuer encoded', (iss) => iss.replace('acme', '%61cme')],
      ['the issuer in a list', (iss) => [iss]],
      ['the issuer with a blank', (iss) => `${iss} `],
      ['nothing', () => null],
      ['a number', () => 1],
      ['left out', () => undefined],
    ])('is refused: %s', async (_what, change) => {
      await refused(await issuer.token({ iss: change(issuer.issuer) }), ISSUER);
    });

    it('is refused although its signature is good', async () => {
      await refused(await stranger.token(), ISSUER);
    });
  });

  describe('for an audience', () => {
    it.each<[string, unknown]>([
      ['of somebody else', 'https://other.example/mcp'],
      ['that this one begins with', 'https://mcp.example.com'],
      ['that this one begins with, with a slash', 'https://mcp.example.com/'],
      ['on another path of the same host', 'https://mcp.example.com/other'],
      ['that begins with this one', `${TEST_RESOURCE}/admin`],
      ['with a slash behind', `${TEST_RESOURCE}/`],
      ['with a query', `${TEST_RESOURCE}?x`],
      ['with its port', 'https://mcp.example.com:443/mcp'],
      ['in another case', 'https://MCP.example.com/mcp'],
      ['without TLS', 'http://mcp.example.com/mcp'],
      ['at a host that ends alike', 'https://evil-mcp.example.com/mcp'],
      ['among several in one text', `https://other.example ${TEST_RESOURCE}`],
      ['that is everything', '*'],
      ['that is empty', ''],
      ['that is the client', 'cli'],
      ['list without this one', ['https://other.example', 'account']],
      ['list that is empty', []],
      ['list within a list', [[TEST_RESOURCE]]],
      ['in an object', { [TEST_RESOURCE]: true }],
      ['that is true', true],
      ['that is left out', undefined],
    ])('%s is refused', async (_what, aud) => {
      await refused(await issuer.token({ aud }), AUDIENCE);
    });

    it('list with this one is accepted', async () => {
      await accepted(await issuer.token({ aud: ['account', TEST_RESOURCE] }));
    });
  });

  describe('in time', () => {
    it.each<[string, Json | (() => Json), string]>([
      ['long expired', () => ({ exp: seconds() - 86_400 }), EXPIRED],
      ['expired beyond what clocks may differ', () => ({ exp: seconds() - 32 }), EXPIRED],
      ['without an end', { exp: undefined }, EXPIRED],
      ['with an end that is null', { exp: null }, EXPIRED],
      ['with an end that is a text', () => ({ exp: String(seconds() + 300) }), EXPIRED],
      ['with an end of zero', { exp: 0 }, EXPIRED],
      ['with an end before all time', { exp: -1 }, EXPIRED],
      ['with an end that is true', { exp: true }, EXPIRED],
      ['that begins too late', () => ({ nbf: seconds() + 60 }), EARLY],
      ['that was issued in the future', () => ({ iat: seconds() + 60 }), EARLY],
      ['that begins at a text', { nbf: '0' }, EARLY],
      ['that was issued at null', { iat: null }, EARLY],
    ])('%s is refused', async (_what, claims, description) => {
      await refused(await issuer.token(typeof claims === 'function' ? claims() : claims), description);
    });

    it.each<[string, () => Json]>([
      ['just expired', () => ({ exp: seconds() - 5 })],
      ['about to begin', () => ({ nbf: seconds() + 20 })],
      ['issued by a clock that is a little fast', () => ({ iat: seconds() + 20 })],
    ])('%s is accepted', async (_what, claims) => {
      await accepted(await issuer.token(claims()));
    });
  });

  describe('of a kind', () => {
    it.each([null, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt'])('%s is accepted', async (typ) => {
      await accepted(await issuer.token({}, { typ }));
    });

    it.each([
      'logout+jwt',
      'oauth-id-jag+jwt',
      'dpop+jwt',
      'secevent+jwt',
      'token-introspection+jwt',
      'id+jwt',
      'rt+jwt',
      'JWS',
      'at+jwt ',
      '',
    ])('"%s" is refused', async (typ) => {
      await refused(await issuer.token({}, { typ }), KIND);
    });

    it.each<[string, Json]>([
      ['an ID token with a nonce', { nonce: 'n' }],
      ['an ID token with the digest of an access token', { at_hash: 'h' }],
      ['an ID token with the digest of a code', { c_hash: 'h' }],
      ['an ID token of Cognito', { token_use: 'id' }],
      ['an ID token of Keycloak', { typ: 'ID' }],
      ['a refresh token', { typ: 'Refresh' }],
      ['a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
    ])('%s is refused', async (_what, claims) => {
      await refused(await issuer.token(claims, { typ: 'JWT' }), KIND);
    });

    it('is refused when who issued it speaks of himself', async () => {
      await refused(await issuer.token({ sub: issuer.issuer }), KIND);
    });

    it.each([{ jkt: 'thumb' }, { 'x5t#S256': 'thumb' }, {}, null])(
      'is refused when only the owner of a key may use it: %j',
      async (cnf) => refused(await issuer.token({ cnf }), BINDING),
    );

    it.each([{ sub: undefined, client_id: undefined }, { sub: '' }, { sub: null }, { sub: 7 }, { sub: ['alice'] }])(
      'is refused when it is of nobody: %j',
      async (claims) => refused(await issuer.token(claims), SUBJECT),
    );
  });

  describe('that was cut or mended', () => {
    type Mend = (header: string, payload: string, signature: string) => string;
    it.each<[string, Mend, string]>([
      ['without its signature', (h, p) => `${h}.${p}`, FORM],
      ['with a fourth part', (h, p, s) => `${h}.${p}.${s}.${s}`, FORM],
      ['with five parts, as an encrypted one', (h, p, s) => `${h}.${p}.${s}.${s}.${s}`, FORM],
      ['with a point behind', (h, p, s) => `${h}.${p}.${s}.`, FORM],
      ['with a point before', (h, p, s) => `.${h}.${p}.${s}`, FORM],
      ['without its payload', (h, _p, s) => `${h}..${s}`, FORM],
      ['cut short', (h, p, s) => `${h}.${p}.${s.slice(0, -4)}`, SIGNATURE],
      ['with more behind', (h, p, s) => `${h}.${p}.${s}AAAA`, SIGNATURE],
      ['with its signature twice', (h, p, s) => `${h}.${p}.${s}${s}`, SIGNATURE],
      ['with its signature padded', (h, p, s) => `${h}.${p}.${s}==`, FORM],
      [
        'with its signature in hexadecimal',
        (h, p, s) => `${h}.${p}.${Buffer.from(s, 'base64url').toString('hex')}`,
        SIGNATURE,
      ],
      ['with its signature encoded twice', (h, p, s) => `${h}.${p}.${encode(s)}`, SIGNATURE],
      ['with its payload padded', (h, p, s) => `${h}.${p}=.${s}`, MALFORMED],
      ['with a payload written anew', (h, p, s) => `${h}.${encode({ ...decode(p), sub: 'root' })}.${s}`, SIGNATURE],
      ['with blanks in its payload', (h, p, s) => `${h}.${encode(`${JSON.stringify(decode(p))} `)}.${s}`, SIGNATURE],
      ['with a header written anew', (h, p, s) => `${encode({ ...decode(h), x: 1 })}.${p}.${s}`, SIGNATURE],
      ['with a header that is a list', (_h, p, s) => `${encode([])}.${p}.${s}`, FORM],
      ['with a header that is no JSON', (_h, p, s) => `${encode('{')}.${p}.${s}`, FORM],
      ['with a payload that is no JSON', (h, _p, s) => `${h}.${encode('{')}.${s}`, ISSUER],
      ['in two words', (h, p, s) => `${h}.${p} .${s}`, MALFORMED],
      ['twice', (h, p, s) => `${h}.${p}.${s} ${h}.${p}.${s}`, MALFORMED],
      ['with a comma', (h, p, s) => `${h}.${p}.${s},`, MALFORMED],
      ['in quotes', (h, p, s) => `"${h}.${p}.${s}"`, MALFORMED],
      ['with the signature of another', (h, p) => `${h}.${p}.${encode('x'.repeat(256))}`, SIGNATURE],
      ['that is not there', () => '', MALFORMED],
    ])('is refused: %s', async (_how, mend, description) => {
      await expectRefused(`Bearer ${mend(...(await parts()))}`, description);
    });

    it('is refused when its elliptic signature is in the form of certificates', async () => {
      const { privateKey } = await generateKeyPair('ES256', { extractable: true });
      const own = await issuer.token({}, { alg: 'ES256', key: privateKey });
      const [header, payload, raw] = own.split('.');
      const der = sign('sha256', Buffer.from(`${header}.${payload}`), privateKey as unknown as KeyObject);

      await refused(`${header}.${payload}.${der.toString('base64url')}`, SIGNATURE);
      // CVE-2022-21449: a signature of zeros was good for everything.
      await refused(
        `${header}.${payload}.${Buffer.alloc(Buffer.from(raw ?? '', 'base64url').length).toString('base64url')}`,
        SIGNATURE,
      );
    });

    it('is refused when nothing can be as long', async () => {
      const response = await knock(app.url, bearer('a'.repeat(20_000)));

      expect(response.status).toBe(431);
      expectNoTrace(await response.text());
    });
  });

  describe('that is wrong in several ways', () => {
    const late = (): Json => ({ exp: seconds() - 3_600 });
    it.each<[string, () => Promise<string>, string]>([
      ['its signature first', async () => forged({ alg: 'RS256', kid: await keyId() }, () => 'AAAA'), SIGNATURE],
      ['then its end', () => issuer.token({ ...late(), aud: 'https://other.example', scope: '', nonce: 'n' }), EXPIRED],
      ['then its audience', () => issuer.token({ aud: 'https://other.example', scope: '', nonce: 'n' }), AUDIENCE],
      ['then its kind', () => issuer.token({ scope: '', nonce: 'n' }), KIND],
    ])('is refused for %s', async (_what, token, description) => {
      await refused(await token(), description);
    });

    it('is refused for its scopes at last, with 403 and what it needs', async () => {
      const response = await knock(app.url, bearer(await issuer.token({ scope: 'mcp:write' })));

      expect(response.status).toBe(403);
      expect(response.headers.get('www-authenticate')).toBe(
        `Bearer ${METADATA}, error="insufficient_scope", ` +
          'error_description="The access token lacks a scope that this request needs", scope="mcp:read"',
      );
    });
  });

  describe('that is not where it belongs', () => {
    const bare = `Bearer ${METADATA}, scope="mcp:read"`;

    it.each(['Basic YTpi', 'DPoP abc', 'Digest username="a"', 'Negotiate', 'Bearerabc', 'Bearer\tabc', 'Token abc'])(
      'is asked for when the header says %s',
      async (authorization) => {
        const response = await knock(app.url, { authorization });

        expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, bare]);
        expect(await response.json()).toEqual({ jsonrpc: '2.0', error: { code: 401, message: NEEDED } });
      },
    );

    it('is refused in the address, which nothing of it comes back from', async () => {
      const token = await issuer.token();
      const response = await knock(`${app.url}?access_token=${token}`);

      expect(response.status).toBe(400);
      expect(await response.text()).not.toContain(token);
    });

    it.each(['x-access-token', 'x-authorization', 'proxy-authorization', 'cookie', 'x-forwarded-authorization'])(
      'counts for nothing in %s',
      async (name) => {
        const token = await issuer.token();
        const response = await knock(app.url, {
          [name]: name === 'cookie' ? `access_token=${token}` : `Bearer ${token}`,
        });

        expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, bare]);
      },
    );

    it.each([
      ['application/json', (token: string) => JSON.stringify({ access_token: token, method: 'ping' })],
      ['application/x-www-form-urlencoded', (token: string) => `access_token=${token}`],
    ])('counts for nothing in a body of %s', async (type, body) => {
      const response = await post(app.url, body(await issuer.token()), { 'content-type': type });

      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, bare]);
    });
  });
});

describe('two Authorization headers', () => {
  it.each([
    ['two tokens', (good: string) => [`Authorization: Bearer ${good}`, 'Authorization: Bearer other']],
    ['the same one twice', (good: string) => [`Authorization: Bearer ${good}`, `authorization: Bearer ${good}`]],
    ['another scheme first', (good: string) => ['Authorization: Basic YTpi', `AUTHORIZATION: Bearer ${good}`]],
    ['an empty one first', (good: string) => ['Authorization:', `Authorization: Bearer ${good}`]],
  ])('are refused: %s', async (_what, lines) => {
    const more = lines(await issuer.token());
    const [answer] = await exchange(
      app.port,
      postBytes('{"jsonrpc":"2.0","id":1,"method":"ping"}', [...JSON_HEADERS, ...more]),
    );

    expect(answer?.status).toBe(400);
    expect(JSON.parse(answer?.body ?? '')).toEqual({
      jsonrpc: '2.0',
      error: { code: -32600, message: 'Send authorization once.' },
    });
  });

  it.each([
    ['a line folded', ['Authorization: Bearer', ' TOKEN']],
    ['a blank before the colon', ['Authorization : Bearer TOKEN']],
    ['a null in it', ['Authorization: Bearer TOKEN\0']],
  ])('and one that is not well-formed are no HTTP: %s', async (_what, lines) => {
    const token = await issuer.token();
    const more = lines.map((line) => line.replace('TOKEN', token));
    const [answer] = await exchange(
      app.port,
      postBytes('{"jsonrpc":"2.0","id":1,"method":"ping"}', [...JSON_HEADERS, ...more]),
    );

    expect(answer?.status).toBe(400);
    expect(answer?.body).not.toContain(token);
  });
});

describe('callers without a token', () => {
  it('see what is public, and are challenged for the rest before any stream begins', async () => {
    class Both extends Tools {}
    @Injectable()
    class Open {
      @McpTool()
      @Public()
      greet(): string {
        return 'hi';
      }
    }
    await using open = await GuardedApp.start({ providers: [Both, Open] });
    const session = await sessionFor(open.url, {});
    const call = (name: string): Promise<Response> => session.request('tools/call', { name });

    const [greeted, refused] = [await call('greet'), await call('hello')];

    expect(await greeted.json()).toMatchObject({ result: { content: [{ text: 'hi' }] } });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, `Bearer ${METADATA}`]);
    expect(await refused.json()).toEqual({ jsonrpc: '2.0', id: 1, error: { code: 401, message: NEEDED } });
  });
});

describe('what a token must be good for', () => {
  @Injectable()
  class Orders {
    runs = 0;

    @McpTool()
    @RequireScopes('orders:read')
    orders(): string {
      this.runs += 1;
      return 'ORD-1';
    }

    @McpTool()
    @RequireScopes('orders:read', 'orders:refund')
    refund(): string {
      this.runs += 1;
      return 'refunded';
    }
  }

  /** Who may call what is the same in both eras. */
  const CALLS = [
    {
      era: 'stateless',
      call: (url: string, headers: { authorization: string }, name: string) =>
        statelessRequest(url, 'tools/call', { name }, { headers }),
    },
    {
      era: 'session',
      call: async (url: string, headers: { authorization: string }, name: string) =>
        (await sessionFor(url, headers)).request('tools/call', { name }),
    },
  ];

  describe.each(CALLS)('in the $era era', ({ call }) => {
    it('is its call and no more: a narrow token does, and the challenge names what a call needs', async () => {
      await using shop = await GuardedApp.start({ providers: [Orders] });
      const narrow = await shop.bearer({ scope: 'orders:read other' });

      const [read, refused] = [await call(shop.url, narrow, 'orders'), await call(shop.url, narrow, 'refund')];

      expect([read.status, refused.status, shop.get(Orders).runs]).toEqual([200, 403, 1]);
      expect(refused.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(refused.headers.get('www-authenticate')).toBe(
        `Bearer ${METADATA}, error="insufficient_scope", ` +
          'error_description="The access token lacks a scope that this request needs", ' +
          'scope="orders:read orders:refund"',
      );
    });

    it.each(['orders', 'orders:', 'orders:read2', 'ORDERS:READ', 'orders:*', '*', 'orders:read,orders:refund', ''])(
      'is not covered by "%s"',
      async (scope) => {
        await using shop = await GuardedApp.start({ providers: [Orders] });

        expect((await call(shop.url, await shop.bearer({ scope }), 'orders')).status).toBe(403);
        expect(shop.get(Orders).runs).toBe(0);
      },
    );

    it('is covered by a broader scope if that was configured', async () => {
      const auth = { scopeImplies: { 'orders:admin': ['orders:refund'], 'orders:refund': ['orders:read'] } };
      await using shop = await GuardedApp.start({ providers: [Orders], auth });

      const admin = await call(shop.url, await shop.bearer({ scope: 'orders:admin' }), 'refund');
      const reader = await call(shop.url, await shop.bearer({ scope: 'orders:read' }), 'refund');

      expect([admin.status, reader.status]).toEqual([200, 403]);
    });

    it('reaches no handler when it is forged', async () => {
      await using shop = await GuardedApp.start({ providers: [Orders] });
      const scope = 'orders:read';
      const session = await sessionFor(shop.url, await shop.bearer({ scope }));
      for (const token of [
        await shop.issuer.token({ scope }, { alg: 'none' }),
        await shop.issuer.token({ scope, exp: 1 }),
        await shop.issuer.token({ scope, aud: 'https://mcp.example.com/other' }),
        await stranger.token({ scope, iss: shop.issuer.issuer }),
      ]) {
        const answers = [
          await statelessRequest(shop.url, 'tools/call', { name: 'orders' }, { headers: bearer(token) }),
          await as(session, bearer(token)).request('tools/call', { name: 'orders' }),
        ];

        expect(answers.map(({ status }) => status)).toEqual([401, 401]);
      }
      expect(shop.get(Orders).runs).toBe(0);
    });
  });

  it('may be signed with a shared secret where that is configured, and with nothing else there', async () => {
    const sharedSecret = 'a secret of at least 32 bytes, for development';
    await using shop = await GuardedApp.start({ providers: [Orders], trust: { sharedSecret } });
    const key = new TextEncoder().encode(sharedSecret);
    const list = async (token: string): Promise<number> =>
      (await statelessRequest(shop.url, 'tools/list', {}, { headers: bearer(token) })).status;

    expect(await list(await shop.issuer.token({}, { alg: 'HS256', key }))).toBe(200);
    expect(await list(await shop.issuer.token({}, { alg: 'HS512', key: Buffer.alloc(64, sharedSecret) }))).toBe(401);
    expect(await list(await shop.issuer.token({}, { alg: 'HS256', key: Buffer.alloc(32) }))).toBe(401);
    expect(await list(await shop.issuer.token())).toBe(401);
  });
});

describe('an authorization server', () => {
  it.each([
    '/authorize',
    '/token',
    '/register',
    '/introspect',
    '/revoke',
    '/jwks',
    '/.well-known/openid-configuration',
  ])('is something else: %s is not here', async (path) => {
    for (const method of ['GET', 'POST']) {
      const response = await fetch(new URL(path, app.url), { method });
      expect(response.status).toBe(404);
      expectNoTrace(await response.text());
    }
  });
});
