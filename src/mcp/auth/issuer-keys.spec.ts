import { setImmediate } from 'node:timers/promises';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { JwksKeys } from './issuer-keys.js';
import { IssuerUnavailable } from './issuer-unavailable.error.js';

const MINUTE = 60_000;

async function jwk(kid?: string): Promise<object> {
  const { publicKey } = await generateKeyPair('ES256');
  return { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', ...(kid !== undefined && { kid }) };
}

/** Keys over a made-up issuer, whose clock stands still. */
async function createKeys(...kids: string[]) {
  const gate = Promise.resolve();
  const state = { now: 0, away: false, gate, published: await Promise.all(kids.map((kid) => jwk(kid))) };
  const fetch = vi.fn(async () => {
    const keys = state.published;
    await state.gate;
    if (state.away) throw new IssuerUnavailable('ECONNREFUSED');
    return Response.json({ keys });
  });
  const outages = { failed: vi.fn(), succeeded: vi.fn() };
  const keys = new JwksKeys({
    uri: async () => 'https://login.example.com/jwks',
    http: { fetch },
    outages,
    maxAgeMs: 10 * MINUTE,
    staleIfErrorMs: 60 * MINUTE,
    now: () => state.now,
  });
  const find = async (kid?: string) => (await keys.find({ alg: 'ES256', ...(kid !== undefined && { kid }) })).length;
  return { state, fetch, outages, keys, find };
}

describe('JwksKeys', () => {
  it('fetches once for requests at the same time, and again when the keys are old', async () => {
    const { state, fetch, find } = await createKeys('a');
    await Promise.all([find('a'), find('a'), find('a')]);
    state.now = 10 * MINUTE - 1;
    await find('a');
    expect(fetch).toHaveBeenCalledTimes(1);
    state.now = 10 * MINUTE;
    await Promise.all([find('a'), find('a')]);
    await eventually(() => expect(fetch).toHaveBeenCalledTimes(2));
  });

  it('fetches once for 1,000 different unknown keys at once', async () => {
    const { fetch, find, keys } = await createKeys('a');
    await keys.prepare();
    const found = await Promise.all(Array.from({ length: 1_000 }, (_, index) => find(`unknown-${index}`)));
    expect(new Set(found)).toEqual(new Set([0]));
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('fetches at most once in 30 seconds for unknown keys', async () => {
    const { state, fetch, find, keys } = await createKeys('a');
    await keys.prepare();
    await find('x');
    state.now = 29_999;
    await find('y');
    expect(fetch).toHaveBeenCalledTimes(2);
    state.now = 30_000;
    await find('y');
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it('finds a key that was published right after a regular fetch', async () => {
    const { state, find } = await createKeys('a');
    await find('a');
    state.published = [await jwk('b')];
    expect(await Promise.all([find('b'), find('b')])).toEqual([1, 1]);
    expect(await find('a')).toBe(0);
  });

  it('finds a key that was published while a regular fetch was under way', async () => {
    const { state, find } = await createKeys('a');
    const early = find('a');
    const fresh = await jwk('b');
    const late = find('b');
    state.published = [fresh];
    expect(await Promise.all([early, late])).toEqual([1, 1]);
  });

  it('does not take keys from before a rotation for newer than those from after it', async () => {
    const { state, fetch, outages, find } = await createKeys('a');
    await find('a');
    Object.assign(state, { away: true, now: 20 * MINUTE });
    await find('a');
    let answer = (): void => undefined;
    const gate = new Promise<void>((resolve) => (answer = resolve));
    Object.assign(state, { away: false, now: 21 * MINUTE, gate });
    // Old keys do for this one, behind which a fetch sets out.
    await find('a');
    await eventually(() => expect(fetch).toHaveBeenCalledTimes(3));
    Object.assign(state, { published: [await jwk('b')], gate: Promise.resolve() });
    const found = find('b');
    await setImmediate();
    answer();
    await eventually(() => expect(outages.succeeded).toHaveBeenCalledTimes(3));
    expect(await found).toBe(1);
    expect(await find('b')).toBe(1);
  });

  it('uses old keys while the issuer is away, but not for ever', async () => {
    const { state, find, outages } = await createKeys('a');
    await find('a');
    state.away = true;
    state.now = 70 * MINUTE - 1;
    expect(await find('a')).toBe(1);
    expect(await find('a')).toBe(1);
    state.now = 72 * MINUTE;
    await expect(find('a')).rejects.toMatchObject({ reason: 'UNAVAILABLE', status: 503 });
    expect(outages.failed).toHaveBeenCalled();
    state.away = false;
    state.now += 1_000;
    expect(await find('a')).toBe(1);
  });

  it('answers 503, not 401, without any keys, and asks the issuer once a second', async () => {
    const { state, fetch, find } = await createKeys('a');
    state.away = true;
    await expect(find('a')).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    await expect(find('a')).rejects.toMatchObject({ status: 503 });
    expect(fetch).toHaveBeenCalledTimes(1);
    state.now = 1_000;
    await expect(find('a')).rejects.toMatchObject({ status: 503 });
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('answers 503 for an unknown key when it cannot look for it', async () => {
    const { state, fetch, find, keys } = await createKeys('a');
    await keys.prepare();
    state.away = true;
    await expect(find('b')).rejects.toMatchObject({ status: 503 });
    await expect(find('b')).rejects.toMatchObject({ status: 503 });
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(await find('a')).toBe(1);
  });

  it('lets nobody wait for an issuer that hangs while it has keys that will do', async () => {
    const { state, fetch, find } = await createKeys('a');
    await find('a');
    Object.assign(state, { now: 70 * MINUTE - 1, gate: new Promise(() => undefined) });
    expect(await Promise.all([find('a'), find('a')])).toEqual([1, 1]);
    await eventually(() => expect(fetch).toHaveBeenCalledTimes(2));
    expect(await find('a')).toBe(1);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('searches once in 30 seconds, for whatever reason', async () => {
    const { state, fetch, find, keys } = await createKeys('a');
    await keys.prepare();
    const before = keys.current;
    await Promise.all([keys.search(), keys.search(), find('x')]);
    await keys.search();
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(keys.current).not.toBe(before);
    state.now = 30_000;
    await keys.search();
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it.each<[string, object[]]>([
    ['none', []],
    ['one to encrypt with', [{ use: 'enc' }]],
    ['one for other operations', [{ key_ops: ['encrypt'] }]],
    ['one for another algorithm', [{ alg: 'ES384' }]],
    ['one that is no point on its curve', [{ x: 'AAAA' }]],
    ['one of a curve that is not accepted', [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' }]],
  ])('keeps good keys when the published ones are %s', async (_what, published) => {
    const { state, find, keys, outages } = await createKeys('a');
    await keys.prepare();
    const good = state.published[0]!;
    state.published = published.map((changes) => ({ ...good, ...changes }));
    await expect(keys.search()).rejects.toMatchObject({ status: 503 });
    expect(await find('a')).toBe(1);
    expect(outages.failed).toHaveBeenCalledWith(
      expect.objectContaining({ message: 'its key set has no key that can be used' }),
      'The keys that were fetched before are used for a time.',
    );
  });

  it('gives several keys for a token without a key id, but not more than 8', async () => {
    const { state, find, keys } = await createKeys();
    state.published = await Promise.all([jwk(), jwk()]);
    expect(await find()).toBe(2);
    state.published = await Promise.all(Array.from({ length: 12 }, () => jwk()));
    await keys.search();
    expect(await find()).toBe(8);
  });

  it('has no use for an RSA key of 1,024 bits', async () => {
    const { state, keys } = await createKeys();
    const { generateKeyPairSync } = await import('node:crypto');
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' });
    state.published = [{ ...weak, kid: 'weak' }, await jwk('a')];
    expect(await keys.find({ alg: 'RS256', kid: 'weak' })).toEqual([]);
  });
});
