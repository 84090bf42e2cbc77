import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CALL } from '../../../test/support/audit/audit-events.js';
import { AuditChain } from './audit-chain.js';
import { describeOperation } from './describe-operation.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const OPERATION = describeOperation(CALL);
const BOUNDS = { checkpointEvery: 1_000, checkpointMs: 60_000 };
const AT = Date.UTC(2026, 10, 21, 9, 8, 7, 6);

interface Entry {
  readonly [name: string]: unknown;
  readonly hash: string;
  readonly signature: string;
}

function chainOfThree(): [Entry, Entry, Entry] {
  const chain = new AuditChain('replica-1', privateKey, BOUNDS);
  const lines = [chain.start(), chain.operation(OPERATION, AT), chain.seal('end')];
  return lines.map((line) => JSON.parse(line) as Entry) as [Entry, Entry, Entry];
}

describe('AuditChain', () => {
  it('writes the members of an entry in their order', () => {
    const chain = new AuditChain('replica-1', privateKey, BOUNDS);
    chain.start();
    const [before, after] = chain.operation(OPERATION, AT).split(',"issuer"');
    expect(before).toBe(
      `{"v":1,"type":"operation","chain":"${chain.id}","seq":1,"at":"2026-11-21T09:08:07.006Z","replica":"replica-1"`,
    );
    expect(after).toMatch(
      /,"traceId":"0af7651916cd43dd8448eb211c80319c","prev":"[0-9a-f]{64}","hash":"[0-9a-f]{64}"}$/,
    );
  });

  it('links each entry to the one before it', () => {
    const [start, operation, end] = chainOfThree();
    expect([start['seq'], operation['seq'], end['seq']]).toEqual([0, 1, 2]);
    expect(start['prev']).toBe('0000000000000000000000000000000000000000000000000000000000000000');
    expect(operation['prev']).toBe(start.hash);
    expect(end['prev']).toBe(operation.hash);
  });

  it('hashes what anyone can make again from the line: prev, and the rest sorted by name', () => {
    const [, operation] = chainOfThree();
    const { hash, ...covered } = operation;
    const names = Object.keys(covered).sort();
    const sorted = Object.fromEntries(names.map((name) => [name, covered[name]]));
    // That of the only object in it, kind and name, is sorted already.
    const text = `${String(operation['prev'])}${JSON.stringify(sorted)}`;
    expect(createHash('sha256').update(text).digest('hex')).toBe(hash);
  });

  it('signs the hash of the first and the last entry, and names the key', () => {
    const [start, operation, end] = chainOfThree();
    expect(start['publicKey']).toBe(publicKey.export({ type: 'spki', format: 'der' }).toString('base64'));
    expect(end['keyId']).toBe(start['keyId']);
    expect(end['count']).toBe(1);
    for (const { hash, signature } of [start, end]) {
      const isGenuine = verify(
        null,
        Buffer.from(`rookery-audit-v1:${hash}`),
        publicKey,
        Buffer.from(signature, 'base64'),
      );
      expect(isGenuine).toBe(true);
    }
    expect(operation).not.toHaveProperty('signature');
  });

  it('says with each signature how far the next may be', () => {
    const [start, operation, end] = chainOfThree();
    expect(start).toMatchObject({ checkpointEvery: 1_000, checkpointMs: 60_000 });
    expect(end).toMatchObject({ checkpointEvery: 1_000, checkpointMs: 60_000 });
    expect(operation).not.toHaveProperty('checkpointMs');
  });

  it('has a name of its own', () => {
    expect(chainOfThree()[0]['chain']).not.toBe(chainOfThree()[0]['chain']);
  });
});
