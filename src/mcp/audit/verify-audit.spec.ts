import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CALL, auditLines } from '../../../test/support/audit/audit-events.js';
import { parseAnchor } from './audit-anchor.js';
import { AuditChain } from './audit-chain.js';
import type { AuditReport } from './audit-report.js';
import { describeOperation } from './describe-operation.js';
import { entryHash } from './entry-hash.js';
import { type VerifyAuditOptions, verifyAudit } from './verify-audit.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const TRUSTED: VerifyAuditOptions = { trustedKeys: [publicKey] };

const BOUNDS = { checkpointEvery: 3, checkpointMs: 60_000 };
const JANUARY = Date.UTC(2026, 0);

/** A start, five operations with a checkpoint after the third, and an end: entries 0 to 7. */
function wholeLog(key = privateKey): string[] {
  const chain = new AuditChain('r1', key, BOUNDS);
  const call = (subject: string) =>
    chain.operation(describeOperation({ ...CALL, principal: { ...CALL.principal!, subject } }), JANUARY);
  return [
    ...[chain.start(), call('ada'), call('bob'), call('cyd'), chain.seal('checkpoint')],
    ...[call('dan'), call('eve\u2028\ufffdé'), chain.seal('end')],
  ];
}

const verify = (lines: readonly string[], options: VerifyAuditOptions = TRUSTED): Promise<AuditReport> =>
  verifyAudit(auditLines(lines), options);

/** What was found: line, level and kind. */
async function found(lines: readonly string[], options?: VerifyAuditOptions): Promise<string[]> {
  const { findings } = await verify(lines, options);
  return findings.map(({ line, level, kind }) => `${line} ${level} ${kind}`);
}

/** What somebody can do who writes the log, but does not have the key: changes an entry and hashes all after it anew. */
function forge(lines: readonly string[], index: number, change: (entry: Record<string, unknown>) => void): string[] {
  let prev: string | undefined;
  return lines.map((line, i) => {
    if (i < index) return line;
    const entry = JSON.parse(line) as Record<string, unknown> & { prev: string };
    if (i === index) change(entry);
    if (prev !== undefined) entry.prev = prev;
    prev = entryHash(entry);
    return JSON.stringify({ ...entry, hash: prev });
  });
}

describe('verifyAudit', () => {
  it('finds nothing wrong with what was written', async () => {
    expect(await verify(wholeLog())).toEqual({
      ...{ findings: [], problems: 0, warnings: 0 },
      ...{ chains: 1, entries: 8, lost: 0 },
    });
  });

  it('follows chains of several replicas and runs through one file', async () => {
    const [one, two] = [wholeLog(), wholeLog()];
    expect(await found(one.flatMap((line, index) => [line, two[index]!]))).toEqual([]);
  });

  it.each<[string, (lines: string[]) => string[], string[]]>([
    ['altered', (l) => l.with(2, l[2]!.replace('bob', 'mal')), ['3 problem altered']],
    [
      'given a second subject',
      (l) => l.with(2, l[2]!.replace('"subject"', '"subject":"mal","subject"')),
      ['3 problem altered'],
    ],
    ['given a signature', (l) => l.with(2, l[2]!.replace(/}$/, ',"signature":""}')), ['3 problem altered']],
    ['made unreadable', (l) => l.with(2, 'bob was here'), ['3 problem unreadable', '4 problem removed']],
    ['removed', (l) => l.toSpliced(2, 1), ['3 problem removed']],
    ['removed, three of them', (l) => l.toSpliced(2, 3), ['3 problem removed']],
    ['removed at the start', (l) => l.slice(2), ['1 problem no-start']],
    ['removed at the end', (l) => l.slice(0, -1), ['7 warning not-ended']],
    ['put in each other’s place', (l) => l.with(2, l[3]!).with(3, l[2]!), ['4 problem reordered']],
    ['moved up', (l) => l.toSpliced(6, 1).toSpliced(1, 0, l[6]!), ['3 problem reordered']],
    ['moved to the end', (l) => [...l.toSpliced(2, 1), l[2]!], ['8 problem reordered']],
    ['there twice', (l) => l.toSpliced(3, 0, l[2]!), ['4 problem duplicated']],
    [
      'of another chain',
      (l) => l.toSpliced(3, 0, wholeLog()[2]!),
      ['4 problem no-start', '4 problem unsigned', '4 warning not-ended'],
    ],
    ['no text', (l) => l.with(2, '\u0000'), ['3 problem unreadable', '4 problem removed']],
  ])('finds entries that were %s', async (_what, tamper, findings) => {
    expect(await found(tamper(wholeLog()))).toEqual(findings);
  });

  it('says what it found, of which chain and where', async () => {
    const log = wholeLog();
    const { chain } = JSON.parse(log[0]!) as { chain: string };
    const { findings } = await verify(log.toSpliced(2, 2));
    expect(findings).toEqual([
      {
        ...{ kind: 'removed', level: 'problem', file: 'audit.log', line: 3 },
        message: `chain ${chain}: entries 2 to 3 are missing before entry 4`,
      },
    ]);
  });

  describe('when somebody without the key hashes the log anew', () => {
    it('finds an altered entry by the next signature', async () => {
      const forged = forge(wholeLog(), 2, (entry) => (entry['subject'] = 'mal'));
      expect(await found(forged)).toEqual(['5 problem bad-signature', '8 problem bad-signature']);
    });

    it('finds it by the link, if the next entries are left alone', async () => {
      const log = wholeLog();
      const forged = forge(log, 2, (entry) => (entry['subject'] = 'mal'));
      expect(await found(log.with(2, forged[2]!))).toEqual(['4 problem unlinked']);
    });

    it('finds a key of their own in the place of that of the server', async () => {
      expect(await found(wholeLog(stranger.privateKey))).toEqual([
        ...['1 problem untrusted-key', '5 problem untrusted-key'],
        ...['8 problem untrusted-key', '8 problem unsigned'],
      ]);
      expect(await found(wholeLog(stranger.privateKey), {})).toEqual([]);
    });

    it('finds a log of their own that claims to have lost its beginning', async () => {
      const partial = { ...TRUSTED, partial: true };
      expect(await found(wholeLog(stranger.privateKey).slice(4), partial)).toEqual([
        ...['1 problem untrusted-key', '1 warning no-start'],
        ...['4 problem untrusted-key', '4 problem unsigned'],
      ]);
      expect(await found([wholeLog()[2]!], partial)).toContain('1 problem unsigned');
    });

    it('finds a log without a start', async () => {
      const forged = forge(wholeLog(), 1, (entry) => (entry['seq'] = 0)).slice(1, 2);
      expect(await found(forged, {})).toContain('1 problem unsigned');
    });

    it('finds entries after the end', async () => {
      const log = wholeLog();
      const last = JSON.parse(log[7]!) as { hash: string };
      const { signature, ...more } = JSON.parse(log[6]!) as Record<string, unknown> & { prev: string };
      const entry = { ...more, seq: 8, prev: last.hash };
      expect(signature).toBeUndefined();
      const forged = JSON.stringify({ ...entry, hash: entryHash(entry) });
      expect(await found([...log, forged])).toEqual(['9 problem after-end']);
    });

    it('says up to where an open chain is proven', async () => {
      const { findings } = await verify(wholeLog().slice(0, 7));
      expect(findings[0]!.message).toContain('only up to entry 4 of 6 it is proven by a signature');
    });
  });

  describe('of what follows the last signature of a chain without an end', () => {
    /** A signed start, and as many operations, each so many milliseconds after the one before. */
    function tail(operations: number, apartMs = 0): string[] {
      const chain = new AuditChain('r1', privateKey, BOUNDS);
      const call = (_: unknown, i: number): string => chain.operation(describeOperation(CALL), JANUARY + i * apartMs);
      return [chain.start(), ...Array.from({ length: operations }, call)];
    }

    it.each<[string, string[]]>([
      ['as many entries as the signature promised', tail(3)],
      ['as much time', tail(2, 60_000)],
      ['entries of a clock that was set back', tail(2, -90_000)],
    ])('takes %s', async (_what, lines) => {
      expect(await found(lines)).toEqual([`${lines.length} warning not-ended`]);
    });

    it.each<[string, string[]]>([
      ['more entries', tail(4)],
      ['more time', tail(2, 60_001)],
    ])('finds %s: it was cut back to that signature and written anew', async (_what, lines) => {
      const last = lines.length;
      expect(await found(lines)).toEqual([`${last} problem tail-too-long`, `${last} warning not-ended`]);
    });

    it('says what the last signature promised', async () => {
      const { findings } = await verify(tail(4));
      expect(findings[0]!.message).toMatch(
        /4 entries in 0 ms follow its last signature, entry 0; the server would have signed after 3, or 60000 ms$/,
      );
    });

    it('knows of the bounds from any signature, as the start may be gone', async () => {
      const chain = new AuditChain('r1', privateKey, BOUNDS);
      const lines = [chain.start(), chain.seal('checkpoint')];
      for (let i = 0; i < 4; i++) lines.push(chain.operation(describeOperation(CALL), JANUARY));
      expect(await found(lines.slice(1), { ...TRUSTED, partial: true })).toContain('5 problem tail-too-long');
    });
  });

  describe('of an entry that was kept elsewhere', () => {
    const anchorOf = (line: string) => {
      const { chain, seq, hash } = JSON.parse(line) as { chain: string; seq: number; hash: string };
      return parseAnchor(`${chain}:${seq}:${hash}`);
    };

    it('finds nothing wrong if it is there', async () => {
      const log = wholeLog();
      expect(await found(log, { ...TRUSTED, expected: [anchorOf(log[4]!), anchorOf(log[7]!)] })).toEqual([]);
    });

    it('finds that the chain was cut back before it, or another stands in its place', async () => {
      const log = wholeLog();
      const expected = [anchorOf(log[0]!), anchorOf(log[7]!)];
      const { findings } = await verify(log.slice(0, 5), { ...TRUSTED, expected });
      const { chain, hash } = expected[1]!;
      expect(findings).toContainEqual({
        ...{ kind: 'unmet', level: 'problem', file: '--expect', line: 2 },
        message: `${chain}:7:${hash} is not in the log: it was cut back or replaced, or is of another log`,
      });
      expect(await found(wholeLog(), { ...TRUSTED, expected })).toEqual(['1 problem unmet', '2 problem unmet']);
    });

    it.each(['', 'chain', 'chain:1', 'chain:x:y', `chain:1:${'0'.repeat(63)}`, `:1:${'0'.repeat(64)}`])(
      'refuses the name %j',
      (text) => {
        expect(() => parseAnchor(text)).toThrow('An entry to expect is <chain>:<seq>:<hash>');
      },
    );
  });

  it('takes one of several keys', async () => {
    const log = [...wholeLog(), ...wholeLog(stranger.privateKey)];
    expect(await found(log, { trustedKeys: [publicKey, stranger.publicKey] })).toEqual([]);
  });

  it('warns of operations that the server lost, and counts them', async () => {
    const chain = new AuditChain('r1', privateKey, BOUNDS);
    const report = await verify([chain.start(), chain.gap(7, JANUARY), chain.seal('end')]);
    expect(report).toMatchObject({ problems: 0, warnings: 1, lost: 7 });
    expect(report.findings[0]).toMatchObject({ line: 2, kind: 'gap' });
  });

  it('warns only of a line that broke off, if its entry follows', async () => {
    const log = wholeLog();
    expect(await found(log.toSpliced(3, 0, log[3]!.slice(0, 90)))).toEqual(['4 warning torn']);
    expect(await found([...log, log[3]!.slice(0, 90)])).toEqual(['9 problem unreadable']);
  });

  describe('of a line that broke off and was not written again, as its server died', () => {
    const whole = wholeLog();
    const crashed = whole.slice(0, 7);
    /** The beginning of what the chain would have had next. */
    const next = (seq = 7): string => crashed[6]!.replace('"seq":6', `"seq":${seq}`).slice(0, 120);

    it.each([
      ['last', [...crashed, next()]],
      ['before what another server writes', [...crashed, next(), ...wholeLog()]],
      ['as often as it was tried', [...crashed, next(), next().slice(0, 80)]],
    ])('warns of it where it is %s', async (_where, lines) => {
      expect((await found(lines)).slice(0, 2)).toEqual(['7 warning not-ended', '8 warning torn']);
      expect((await verify(lines)).problems).toBe(0);
    });

    it.each([
      ['of a chain that goes on', [...crashed.slice(0, 6), next(6).replace('eve', 'mal').slice(0, 90), next(7)]],
      ['of another place', [...crashed, next(9)]],
      ['of a chain that is not there', [...crashed, wholeLog()[0]!.slice(0, 90)]],
      ['of a chain that was ended', [...whole, next(8)]],
      ['too short to tell', [...crashed, next().slice(0, 30)]],
    ])('finds one %s', async (_what, lines) => {
      expect(await found(lines)).toContainEqual(expect.stringMatching(/^\d+ problem unreadable$/));
    });

    it('warns of one that ends within a character, and never takes it for an entry', async () => {
      const report = await verifyAudit([
        ...auditLines(crashed),
        { text: next(), isCut: true, file: 'audit.log', line: 8 },
      ]);
      expect(report.findings.map(({ kind }) => kind)).toEqual(['not-ended', 'torn']);
      const cut = auditLines(wholeLog()).map((line) => ({ ...line, isCut: line.line === 8 }));
      expect((await verifyAudit(cut)).entries).toBe(7);
    });
  });

  it('takes a log without its beginning, if it is told so and has the key', async () => {
    const partial = { ...TRUSTED, partial: true };
    expect(await found(wholeLog().slice(2), partial)).toEqual(['1 warning no-start']);
    expect(await found(wholeLog().slice(2), { partial: true })).toEqual([
      '1 warning no-start',
      '3 warning unchecked-signature',
      '6 warning unchecked-signature',
    ]);
    expect(await found(forge(wholeLog(), 3, (e) => (e['subject'] = 'x')).slice(3), partial)).toContain(
      '2 problem bad-signature',
    );
  });

  it('takes an open chain for a problem, if it is told that all has ended', async () => {
    expect(await found(wholeLog().slice(0, -1), { ...TRUSTED, ended: true })).toEqual(['7 problem not-ended']);
  });

  it('passes over other lines, if it is told that there are some', async () => {
    const mixed = wholeLog().flatMap((line) => ['[Nest] LOG started', line, '{"level":"info"}', '']);
    expect(await found(mixed, { ...TRUSTED, mixed: true })).toEqual([]);
    expect((await verify(mixed)).problems).toBe(16);
  });

  it('keeps no more than 1,000 findings of a kind, and counts all', async () => {
    const report = await verify(Array.from({ length: 1_500 }, () => 'no entry'));
    expect(report.findings).toHaveLength(1_000);
    expect(report.problems).toBe(1_500);
  });
});

describe('verifyAudit finds any one change', () => {
  const log = wholeLog();
  const index = fc.nat(log.length - 1);
  /** The end cut off an open chain is all that it cannot tell from a server that still runs. */
  const isFound = async (lines: readonly string[]): Promise<boolean> =>
    (await verify(lines, { ...TRUSTED, ended: true })).problems > 0;

  it('of a character', async () => {
    const anyCharacter = fc.nat(0xffff).map((code) => String.fromCharCode(code));
    const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    await fc.assert(
      fc.asyncProperty(index, position, anyCharacter, async (i, at, character) => {
        const line = log[i]!;
        const where = Math.floor(at * line.length);
        fc.pre(line[where] !== character);
        return isFound(log.with(i, line.slice(0, where) + character + line.slice(where + 1)));
      }),
      { numRuns: 500 },
    );
  });

  it('by lines that are removed', async () => {
    await fc.assert(fc.asyncProperty(index, fc.integer({ min: 1, max: 7 }), (i, n) => isFound(log.toSpliced(i, n))));
  });

  it('by two lines that change places', async () => {
    await fc.assert(
      fc.asyncProperty(index, index, async (i, j) => {
        fc.pre(i !== j);
        return isFound(log.with(i, log[j]!).with(j, log[i]!));
      }),
    );
  });

  it('by a line that is moved, copied or overwritten by another', async () => {
    await fc.assert(
      fc.asyncProperty(index, index, async (i, j) => {
        fc.pre(i !== j);
        const moved = log.toSpliced(i, 1).toSpliced(j, 0, log[i]!);
        return (
          (await isFound(moved)) &&
          (await isFound(log.toSpliced(j, 0, log[i]!))) &&
          (await isFound(log.with(i, log[j]!)))
        );
      }),
    );
  });

  it('by an entry that is altered and hashed anew with all after it', async () => {
    const members = ['type', 'chain', 'seq', 'at', 'replica', 'subject', 'decision', 'count', 'publicKey', 'keyId'];
    await fc.assert(
      fc.asyncProperty(index, fc.constantFrom(...members), fc.jsonValue(), async (i, member, value) => {
        fc.pre(JSON.stringify((JSON.parse(log[i]!) as Record<string, unknown>)[member]) !== JSON.stringify(value));
        return isFound(forge(log, i, (entry) => (entry[member] = value)));
      }),
      { numRuns: 300 },
    );
  });
});
