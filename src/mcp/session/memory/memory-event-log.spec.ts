import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryEventLog, type MemoryEventLogOptions } from './memory-event-log.js';

const SILENT = { wake: () => undefined, displaced: () => undefined };

/** The behaviour of the port is in test/contract; here is what is particular to memory. */
describe('MemoryEventLog', () => {
  let log: MemoryEventLog;

  const open = (options: MemoryEventLogOptions = {}): MemoryEventLog => (log = new MemoryEventLog(options));

  const statusOf = (sessionId: string, streamId: string): string => log.read(sessionId, streamId, '', 10).status;

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    log.close();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('keeps 1,000 events of a stream', async () => {
    open();
    for (let i = 0; i < 1_000; i += 1) log.append('s1', 'a', 'x');
    expect(statusOf('s1', 'a')).toBe('ok');
    log.append('s1', 'a', 'x');
    expect(statusOf('s1', 'a')).toBe('gap');
  });

  it('keeps 4 MiB of a stream', async () => {
    open();
    for (let i = 0; i < 4; i += 1) log.append('s1', 'a', 'x'.repeat(1024 * 1024));
    expect(statusOf('s1', 'a')).toBe('ok');
    log.append('s1', 'a', 'x');
    expect(statusOf('s1', 'a')).toBe('gap');
  });

  it('keeps a stream for 5 minutes', async () => {
    open();
    log.append('s1', 'a', 'x');
    vi.setSystemTime(Date.now() + 5 * 60_000 - 1);
    expect(statusOf('s1', 'a')).toBe('ok');
    vi.setSystemTime(Date.now() + 1);
    expect(statusOf('s1', 'a')).toBe('unknown');
  });

  it('takes the events of the streams least recently written when the whole log is full', async () => {
    open({ maxTotalBytes: 30 });
    for (const [session, stream] of [
      ['s1', 'a'],
      ['s2', 'b'],
      ['s3', 'c'],
      ['s1', 'a'],
    ] as const) {
      log.append(session, stream, 'x'.repeat(10));
    }
    expect([statusOf('s1', 'a'), statusOf('s2', 'b'), statusOf('s3', 'c')]).toEqual(['ok', 'gap', 'ok']);
  });

  it('counts what was cleared, expired or trimmed as free again', async () => {
    open({ maxTotalBytes: 30, maxEvents: 1, retentionMs: 1_000 });
    log.append('s1', 'a', 'x'.repeat(30));
    await log.clear('s1');
    log.append('s2', 'a', 'x'.repeat(30));
    vi.setSystemTime(Date.now() + 1_000);
    expect(statusOf('s2', 'a')).toBe('unknown');
    log.append('s3', 'a', 'x'.repeat(20));
    log.append('s3', 'a', 'x'.repeat(10));
    log.append('s4', 'a', 'x'.repeat(20));
    const tail = log.append('s3', 'b', '');
    expect(log.read('s3', 'b', tail, 1)).toEqual({ status: 'ok', events: [] });
    expect(statusOf('s4', 'a')).toBe('ok');
  });

  it('makes room by the stream that was read or written least recently', async () => {
    open({ maxStreams: 3 });
    const reading = await log.attach('s1', 'a', SILENT);
    for (const stream of ['a', 'b', 'c', 'b']) log.append('s1', stream, 'x');
    reading.detach();
    log.append('s1', 'd', 'x');
    log.append('s1', 'e', 'x');
    expect(['a', 'b', 'c', 'd', 'e'].map((stream) => statusOf('s1', stream))).toEqual([
      'ok',
      'unknown',
      'unknown',
      'ok',
      'ok',
    ]);
  });

  it('leaves a stream alone that took the name of one whose reader lets go', async () => {
    open({ maxStreams: 2 });
    const gone = await log.attach('s1', 'a', SILENT);
    await log.clear('s1');
    for (const stream of ['a', 'b']) log.append('s1', stream, 'x');
    gone.detach();
    log.append('s1', 'c', 'x');
    expect(['a', 'b', 'c'].map((stream) => statusOf('s1', stream))).toEqual(['unknown', 'ok', 'ok']);
  });

  it.each([
    ['plain', ['one', '', 'two', 'three']],
    ['of any script', ['one', 'é', '日本 🎉', '']],
    ['large', ['x'.repeat(70_000), 'y', 'z']],
  ])('reads %s texts alike before and after the end of their stream', (_, texts) => {
    open();
    const cursors = ['', ...texts.map((text) => log.append('s1', 'a', text))];
    const readings = () => cursors.flatMap((cursor) => [1, 2, 10].map((limit) => log.read('s1', 'a', cursor, limit)));
    const before = readings();
    const end = log.append('s1', 'a', 'end', true);
    const after = readings();
    expect(after.map((read) => read.status === 'ok' && read.events.filter(({ last }) => !last))).toEqual(
      before.map((read) => read.status === 'ok' && read.events),
    );
    expect(log.read('s1', 'a', cursors.at(-1)!, 10)).toMatchObject({ events: [{ data: 'end', last: true }] });
    expect(log.read('s1', 'a', end, 10)).toEqual({ status: 'ended' });
  });

  it('drops expired streams without being asked', async () => {
    let now = 0;
    open({ retentionMs: 1_000, now: () => now });
    log.append('s1', 'a', 'x');
    now = 1_000;
    await vi.advanceTimersByTimeAsync(30_000);
    // Back to when it was not due: what is unknown now was dropped before anyone asked.
    now = 0;
    expect(statusOf('s1', 'a')).toBe('unknown');
  });

  it('takes no position for a cursor that it never gave out', async () => {
    open();
    const cursor = log.append('s1', 'a', 'x');
    log.append('s1', 'a', 'y');
    for (const position of ['0', '-1', '3', '0.5', '1.5', '01', 'NaN', 'Infinity', '']) {
      const forged = cursor.replace(/1$/, position);
      expect([forged, log.read('s1', 'a', forged, 10).status]).toEqual([forged, 'gap']);
    }
  });

  it('clears a session once, even if a displaced reader attaches again', async () => {
    open();
    let displacements = 0;
    const stubborn = {
      wake: () => undefined,
      displaced: () => {
        displacements += 1;
        void log.attach('s1', `again${displacements}`, stubborn);
      },
    };
    await log.attach('s1', 'a', stubborn);
    await log.attach('s1', 'b', SILENT);
    await log.clear('s1');
    expect(displacements).toBe(1);
  });

  it('warns of a listener that throws', async () => {
    open();
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const error = new Error('listener failed');
    await log.attach('s1', 'a', {
      ...SILENT,
      wake: () => {
        throw error;
      },
    });
    log.append('s1', 'a', 'x');
    expect(warn.mock.calls).toEqual([[error, { type: 'ListenerError' }]]);
  });

  it('sweeps no more once it is closed', () => {
    const before = vi.getTimerCount();
    open();
    log.close();
    expect(vi.getTimerCount()).toBe(before);
  });
});
