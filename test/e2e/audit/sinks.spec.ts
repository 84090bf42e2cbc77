import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  type FileHandle,
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { AuditTrail, type AuditTrailOptions } from '../../../src/mcp/audit/audit-trail.js';
import { JsonLinesFileSink } from '../../../src/mcp/audit/json-lines-file.sink.js';
import { JsonLinesStreamSink } from '../../../src/mcp/audit/json-lines-stream.sink.js';
import { APPEND_AUDIT_LINES, RedisStreamSink } from '../../../src/mcp/audit/redis-stream.sink.js';
import { verifyAudit } from '../../../src/mcp/audit/verify-audit.js';
import { CALL, SILENT, auditLines } from '../../support/audit/audit-events.js';
import { eventually } from '../../support/eventually.js';
import { open as openRedis } from '../../support/redis/opened-clients.js';

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');
const subjectsIn = (lines: readonly string[]): unknown[] =>
  lines
    .map((line) => (JSON.parse(line) as Record<string, unknown>)['subject'])
    .filter((subject) => subject !== undefined);
const callOf = (subject: string) => ({ ...CALL, principal: { ...CALL.principal!, subject } });

/** Records a call in the name of somebody. */
async function recorded(trail: AuditTrail, subject: string): Promise<void> {
  await trail.record(callOf(subject));
}

async function logFile(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'rookery-audit-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return join(dir, 'audit.log');
}

async function trailTo(...sinks: AuditTrailOptions['sinks']): Promise<AuditTrail> {
  const trail = new AuditTrail({ sinks, onFailure: 'closed', replica: 'r1', logger: SILENT });
  onTestFinished(() => trail.close());
  await trail.start();
  return trail;
}

async function problemsIn(lines: readonly string[]): Promise<string[]> {
  const { findings } = await verifyAudit(auditLines(lines), { ended: true });
  return findings.map(({ level, kind }) => `${level} ${kind}`);
}

describe('JSON lines in a file', () => {
  it('are a log that verifies, for its owner alone', async () => {
    const path = await logFile();
    const trail = await trailTo(new JsonLinesFileSink({ path, sync: true }));
    await Promise.all(['ada', 'bob', 'cyd'].map((subject) => recorded(trail, subject)));
    await trail.close();
    const lines = linesOf(await readFile(path, 'utf8'));
    expect(subjectsIn(lines)).toEqual(['ada', 'bob', 'cyd']);
    expect(await problemsIn(lines)).toEqual([]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('are appended by the next run', async () => {
    const path = await logFile();
    for (const subject of ['ada', 'bob']) {
      const trail = await trailTo(new JsonLinesFileSink({ path }));
      await trail.record(callOf(subject));
      await trail.close();
    }
    const lines = linesOf(await readFile(path, 'utf8'));
    expect(subjectsIn(lines)).toEqual(['ada', 'bob']);
    expect(await problemsIn(lines)).toEqual([]);
  });

  it('begin on a line of their own after a crash that tore the last one', async () => {
    const path = await logFile();
    await writeFile(path, '{"v":1,"type":"opera');
    const trail = await trailTo(new JsonLinesFileSink({ path }));
    await trail.close();
    const lines = linesOf(await readFile(path, 'utf8'));
    expect(lines[0]).toBe('{"v":1,"type":"opera');
    expect(await problemsIn(lines.slice(1))).toEqual([]);
  });

  it('are only warned of where a crash tore the last one, though nobody writes it again', async () => {
    const path = await logFile();
    const crashed = await trailTo(new JsonLinesFileSink({ path }));
    for (const subject of ['ada', 'bob']) await crashed.record(callOf(subject));
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, -100));
    const next = await trailTo(new JsonLinesFileSink({ path }));
    await next.record(callOf('cyd'));
    await next.close();
    const { findings } = await verifyAudit(auditLines(linesOf(await readFile(path, 'utf8'))));
    expect(findings.map(({ line, level, kind }) => `${line} ${level} ${kind}`)).toEqual([
      '2 warning not-ended',
      '3 warning torn',
    ]);
  });

  it('go on in a new file when the old one was moved away', async () => {
    const path = await logFile();
    const trail = await trailTo(new JsonLinesFileSink({ path, checkMs: 0 }));
    await trail.record(callOf('ada'));
    await rename(path, `${path}.1`);
    await trail.record(callOf('bob'));
    await rm(path);
    await trail.record(callOf('cyd'));
    const texts = await Promise.all([`${path}.1`, path].map((file) => readFile(file, 'utf8')));
    expect(texts.map((text) => subjectsIn(linesOf(text)))).toEqual([['ada'], ['cyd']]);
  });

  it('are refused while the folder is gone, and written once it is back', async () => {
    const path = await logFile();
    await mkdir(path);
    const sink = new JsonLinesFileSink({ path: join(path, 'audit.log') });
    await rm(path, { recursive: true });
    const trail = await trailTo(sink);
    expect(() => trail.ready()).toThrow('The audit trail cannot be written at the moment.');
    expect(trail.failure).toMatch(/^ENOENT/);
    await mkdir(path);
    await eventually(() => trail.ready());
    expect(linesOf(await readFile(join(path, 'audit.log'), 'utf8'))).toHaveLength(1);
  });

  it.skipIf(process.platform !== 'linux')('are refused by a disk that is full', async () => {
    const path = await logFile();
    const sink = new JsonLinesFileSink({ path });
    await rm(path);
    await symlink('/dev/full', path);
    const trail = await trailTo(sink);
    expect(trail.failure).toMatch(/^ENOSPC/);
    await expect(trail.record(CALL)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
  });

  /** The disk takes so many bytes more, then none, then all again. */
  async function tearAfter(bytes: number): Promise<void> {
    const handle = await open('/dev/null', constants.O_WRONLY);
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const write = prototype.write;
    const spy = vi.spyOn(prototype, 'write');
    onTestFinished(() => spy.mockRestore());
    const inPart = async function (this: FileHandle, buffer: Buffer, offset: number): Promise<unknown> {
      return Reflect.apply(write, this, [buffer, offset, bytes]);
    };
    spy.mockImplementationOnce(inPart as unknown as FileHandle['write']);
    spy.mockRejectedValueOnce(new Error('ENOSPC: no space left on device'));
  }

  /** In the second line, counted from its beginning. */
  it.each([
    ['in the middle of a line', 100, ['warning torn']],
    ['before the newline', -1, []],
    ['after the newline', 0, []],
  ])('are whole and there once each, though the disk was full %s', async (_where, at, found) => {
    const path = await logFile();
    const sink = new JsonLinesFileSink({ path });
    const kept: string[] = [];
    const recording = { write: async (lines: readonly string[]) => void kept.push(...lines) };
    const source = await trailTo(recording);
    await Promise.all(['ada', 'bob'].map((subject) => recorded(source, subject)));
    await source.close();
    const { chain } = JSON.parse(kept[0]!) as { chain: string };
    const first = Buffer.byteLength(kept[0]!) + 1;

    await tearAfter(first + at);
    await expect(sink.write(kept, { chain, seq: 0 })).rejects.toThrow('ENOSPC');
    await sink.write(kept, { chain, seq: 0 });
    await sink.close();

    const lines = linesOf(await readFile(path, 'utf8'));
    expect(await problemsIn(lines)).toEqual(found);
    expect(subjectsIn(lines.filter((line) => line.endsWith('}')))).toEqual(['ada', 'bob']);
  });

  it('are found to be altered by hand', async () => {
    const path = await logFile();
    const trail = await trailTo(new JsonLinesFileSink({ path }));
    await trail.record(callOf('ada'));
    await trail.close();
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"subject":"ada"', '"subject":"bob"'));
    await appendFile(path, 'x\n');
    expect(await problemsIn(linesOf(await readFile(path, 'utf8')))).toEqual(['problem altered', 'problem unreadable']);
  });
});

describe('JSON lines on a stream', () => {
  it('wait for a reader that is slow', async () => {
    const passOn: (() => void)[] = [];
    const written: string[] = [];
    const slow = new Writable({
      highWaterMark: 1,
      write: (chunk, _encoding, done) => {
        written.push(String(chunk));
        passOn.push(done);
      },
    });
    const sink = new JsonLinesStreamSink(slow);
    let resolved = false;
    const write = sink.write(['{"a":1}', '{"b":2}']).then(() => (resolved = true));
    await Promise.resolve();
    expect(written).toEqual(['{"a":1}\n{"b":2}\n']);
    expect(resolved).toBe(false);
    passOn[0]!();
    await write;
  });

  it('fail when the reader is gone, which does not end the process', async () => {
    const gone = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const sink = new JsonLinesStreamSink(gone);
    await expect(sink.write(['{}'])).rejects.toThrow('EPIPE');
    await expect(sink.write(['{}'])).rejects.toThrow();
  });
});

it.each([0, 1.5, Number.NaN])('a Redis stream of %d entries is refused', (maxLength) => {
  const options = { keyPrefix: 'test:', append: async () => undefined, maxLength };
  expect(() => new RedisStreamSink(options)).toThrow('must keep a whole number of entries, 1 at least.');
});

const redisUrl = inject('redisUrl') ?? '';

describe.skipIf(redisUrl === '')('a Redis stream', () => {
  async function redisSink(maxLength = 1_000) {
    const { commands } = await openRedis({ url: redisUrl });
    const state = { isAway: false, losesAnswers: false };
    const sink = new RedisStreamSink({
      keyPrefix: `test:${randomUUID()}:`,
      maxLength,
      append: async (keys, args) => {
        if (state.isAway) throw new Error('Connection is closed.');
        await commands.eval(APPEND_AUDIT_LINES, keys.length, ...keys, ...args);
        if (state.losesAnswers) throw new Error('Command timed out');
      },
    });
    const lines = async (): Promise<string[]> =>
      (await commands.xrange(sink.key, '-', '+')).map(([, [name, line]]) => {
        expect(name).toBe('entry');
        return line!;
      });
    return { sink, state, lines, commands };
  }

  it('holds a log that verifies, of all replicas', async () => {
    const { sink, lines } = await redisSink();
    const [one, two] = [await trailTo(sink), await trailTo(sink)];
    await Promise.all(['ada', 'bob', 'cyd'].flatMap((s) => [recorded(one, s), recorded(two, s)]));
    await Promise.all([one.close(), two.close()]);
    expect(subjectsIn(await lines()).toSorted()).toEqual(['ada', 'ada', 'bob', 'bob', 'cyd', 'cyd']);
    expect(await problemsIn(await lines())).toEqual([]);
  });

  it('holds each entry once, though its answer was lost', async () => {
    const { sink, state, lines } = await redisSink();
    const trail = await trailTo(sink);
    state.losesAnswers = true;
    await expect(trail.record(callOf('ada'))).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    state.losesAnswers = false;
    await eventually(() => trail.ready());
    await trail.record(callOf('bob'));
    await trail.close();
    expect(subjectsIn(await lines())).toEqual(['ada', 'bob']);
    expect(await problemsIn(await lines())).toEqual([]);
  });

  it('holds all in order after Redis was away', async () => {
    const { sink, state, lines } = await redisSink();
    const trail = await trailTo(sink);
    state.isAway = true;
    await expect(trail.record(callOf('ada'))).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    await expect(trail.record(callOf('bob'))).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    state.isAway = false;
    await eventually(() => trail.ready());
    await trail.close();
    expect(subjectsIn(await lines())).toEqual(['ada', 'bob']);
    expect(await problemsIn(await lines())).toEqual([]);
  });

  it('does not grow without bound', async () => {
    const { sink, commands } = await redisSink(10);
    const trail = await trailTo(sink);
    for (let i = 0; i < 5; i++) {
      await Promise.all(Array.from({ length: 200 }, () => recorded(trail, 'ada')));
    }
    // Redis trims whole nodes, of 100 entries as a rule.
    expect(await commands.xlen(sink.key)).toBeLessThan(300);
  });

  it('keeps both keys in one slot of a cluster, and forgets how far a chain was written after a day', async () => {
    const { sink, commands } = await redisSink();
    const trail = await trailTo(sink);
    await trail.record(CALL);
    const [place] = await commands.keys(sink.key.replace(/log$/, 'at:*'));
    expect(sink.key).toMatch(/^test:[\w-]+:\{audit\}:log$/);
    expect(place).toMatch(/^test:[\w-]+:\{audit\}:at:[\w-]{16}$/);
    expect(await commands.get(place!)).toBe('2');
    expect(await commands.pttl(place!)).toBeGreaterThan(86_000_000);
  });
});
