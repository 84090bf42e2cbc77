import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ANONYMOUS, type Principal } from '../../protocol/principal.js';
import { OpenStreams } from './open-streams.js';

const UNAVAILABLE = expect.objectContaining({ reason: 'UNAVAILABLE', status: 503 });

function named(subject: string): Principal {
  return { ...ANONYMOUS, issuer: 'test', subject };
}

describe('limits', () => {
  it('hold as many as they may, and take a new one when one has gone', () => {
    const streams = new OpenStreams({ maxStreams: 2, maxStreamsPerPrincipal: 2 });
    const release = streams.open(named('ada'), vi.fn());
    streams.open(named('bob'), vi.fn());

    expect(() => streams.open(named('eve'), vi.fn())).toThrow(UNAVAILABLE);
    release();
    release();
    expect(streams.size).toBe(1);
    streams.open(named('eve'), vi.fn());
    expect(streams.size).toBe(2);
  });

  it('hold one principal to its share, whatever the others have', () => {
    const streams = new OpenStreams({ maxStreams: 10, maxStreamsPerPrincipal: 2 });
    const release = streams.open(named('ada'), vi.fn());
    streams.open(named('ada'), vi.fn());

    expect(() => streams.open(named('ada'), vi.fn())).toThrow(UNAVAILABLE);
    streams.open(named('bob'), vi.fn());
    release();
    release();
    streams.open(named('ada'), vi.fn());
    expect(() => streams.open(named('ada'), vi.fn())).toThrow(/You hold 2 streams/);
  });

  it('do not take all anonymous callers for one principal', () => {
    const streams = new OpenStreams({ maxStreams: 3, maxStreamsPerPrincipal: 1 });

    for (let count = 0; count < 3; count++) streams.open(ANONYMOUS, vi.fn());

    expect(streams.size).toBe(3);
    expect(() => streams.open(ANONYMOUS, vi.fn())).toThrow(/The server holds 3 streams/);
  });
});

describe('the end of a credential', () => {
  const DAY = 24 * 60 * 60 * 1_000;
  const streams = new OpenStreams({ maxStreams: 10, maxStreamsPerPrincipal: 10 });
  const until = (ms: number): Principal => ({ ...named('ada'), expiresAt: Date.now() + ms });

  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('ends its streams a minute later, once, and those of others not at all', () => {
    const [ended, ofAnother, ofNobody] = [vi.fn(), vi.fn(), vi.fn()];
    const releases = [
      streams.open(until(300_000), ended),
      streams.open(until(600_000), ofAnother),
      streams.open(ANONYMOUS, ofNobody),
    ];

    vi.advanceTimersByTime(359_999);
    expect(ended).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);

    expect(ended).toHaveBeenCalledOnce();
    expect(ofAnother).not.toHaveBeenCalled();
    vi.advanceTimersByTime(DAY);
    expect(ended).toHaveBeenCalledOnce();
    expect(ofNobody).not.toHaveBeenCalled();
    for (const release of releases) release();
  });

  it('that came long ago ends a stream as soon as it is open, and not before', () => {
    const ended = vi.fn();
    const release = streams.open(until(-DAY), ended);

    expect(ended).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(ended).toHaveBeenCalledOnce();
    release();
  });

  it('that is too far away for a timer ends nothing early', () => {
    const ended = vi.fn();
    const release = streams.open(until(365 * DAY), ended);

    vi.advanceTimersByTime(24 * DAY);

    expect(ended).not.toHaveBeenCalled();
    release();
  });

  it('concerns no stream that has ended by itself', () => {
    const ended = vi.fn();
    const release = streams.open(until(1_000), ended);

    release();

    expect(vi.getTimerCount()).toBe(0);
    expect(streams.size).toBe(0);
  });
});

describe('drain', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  /** Streams that note when they ended, in milliseconds from now, and count themselves out as real ones do. */
  function open(count: number) {
    const streams = new OpenStreams({ maxStreams: count + 1, maxStreamsPerPrincipal: count });
    const begun = Date.now();
    const ended: { name: number; at: number }[] = [];
    for (let name = 0; name < count; name++) {
      const release = streams.open(named('ada'), () => {
        ended.push({ name, at: Date.now() - begun });
        release();
      });
    }
    return { streams, ended };
  }

  it('ends a few at once, each of them once, and lets no new one in', async () => {
    const { streams, ended } = open(3);

    const drained = streams.drain(5_000);

    expect(ended.map(({ name }) => name).sort()).toEqual([0, 1, 2]);
    expect(() => streams.open(named('bob'), vi.fn())).toThrow(UNAVAILABLE);
    await drained;
    expect(vi.getTimerCount()).toBe(0);
    expect(streams.size).toBe(0);
  });

  it('ends many over a time that grows with their number, some 500 a second', async () => {
    const { streams, ended } = open(1_000);

    const drained = streams.drain(5_000);
    await vi.advanceTimersByTimeAsync(1_000);
    const half = ended.length;
    await vi.advanceTimersByTimeAsync(1_000);
    await drained;

    expect(half).toBeGreaterThanOrEqual(450);
    expect(half).toBeLessThanOrEqual(550);
    expect(ended).toHaveLength(1_000);
  });

  it('ends all within the time it has, however many they are', async () => {
    const { streams, ended } = open(10_000);

    const drained = streams.drain(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await drained;

    expect(ended).toHaveLength(10_000);
    expect(Math.max(...ended.map(({ at }) => at))).toBeGreaterThan(900);
  });

  it('ends them in an order of chance', async () => {
    const { streams, ended } = open(40);

    await streams.drain(5_000);

    const names = ended.map(({ name }) => name);
    expect(names).not.toEqual(names.toSorted((a, b) => a - b));
  });

  it('does not keep step with other replicas', async () => {
    const { streams, ended } = open(1_000);
    vi.spyOn(Math, 'random').mockReturnValue(0.5);

    const drained = streams.drain(5_000);
    await vi.advanceTimersByTimeAsync(2_000);
    await drained;

    expect([...new Set(ended.map(({ at }) => at))].slice(0, 3)).toEqual([25, 75, 125]);
  });

  it('says nothing to a stream that has ended by itself meanwhile', async () => {
    const { streams } = open(999);
    const late = vi.fn();
    const release = streams.open(named('bob'), late);

    // All keys are equal, so the order is theirs, and the last comes last.
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const drained = streams.drain(5_000);
    release();
    await vi.advanceTimersByTimeAsync(2_000);
    await drained;

    expect(late).not.toHaveBeenCalled();
  });
});
