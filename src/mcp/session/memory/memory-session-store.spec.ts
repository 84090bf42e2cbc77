import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionRecord } from '../session-record.js';
import { MemorySessionStore, type MemorySessionStoreOptions } from './memory-session-store.js';

const MINUTE = 60_000;

/** The behaviour of the port is in test/contract; here is what is particular to memory. */
describe('MemorySessionStore', () => {
  let store: MemorySessionStore;
  const removed: string[] = [];

  const open = (options: MemorySessionStoreOptions = {}): MemorySessionStore =>
    (store = new MemorySessionStore({ onRemoved: (id) => removed.push(id), ...options }));

  const record = (id: string, owner = 'ada'): SessionRecord => ({
    id,
    owner,
    revision: '2025-11-25',
    clientInfo: { name: 'client', version: '1' },
    clientCapabilities: {},
    logLevel: undefined,
    subscriptions: [],
    seen: '',
    createdAt: Date.now(),
  });

  beforeEach(() => {
    vi.useFakeTimers();
    removed.length = 0;
  });
  afterEach(() => {
    store.close();
    vi.useRealTimers();
  });

  it('keeps an idle session for 30 minutes', async () => {
    open();
    await store.create(record('s1'));
    vi.setSystemTime(Date.now() + 30 * MINUTE - 1);
    expect(store.enter('s1', 'ada')).toMatchObject({ status: 'ok' });
    vi.setSystemTime(Date.now() + 30 * MINUTE);
    expect(store.enter('s1', 'ada')).toEqual({ status: 'unknown' });
  });

  it('keeps a busy session for 24 hours', async () => {
    open();
    const start = Date.now();
    await store.create(record('s1'));
    for (let minute = 20; minute < 24 * 60; minute += 20) {
      vi.setSystemTime(start + minute * MINUTE);
      store.enter('s1', 'ada');
    }
    vi.setSystemTime(start + 24 * 60 * MINUTE - 1);
    expect(store.enter('s1', 'ada')).toMatchObject({ status: 'ok' });
    vi.setSystemTime(start + 24 * 60 * MINUTE);
    expect(store.enter('s1', 'ada')).toEqual({ status: 'unknown' });
  });

  it('holds 1,000 sessions of one owner and 10,000 in all', async () => {
    open();
    for (let i = 0; i < 10_000; i += 1) await store.create(record(`s${i}`, `owner${i % 10}`));
    await expect(store.create(record('extra', 'new'))).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    for (let i = 0; i < 10; i += 1) await store.delete(`s${i * 10 + 1}`);
    for (let i = 0; i < 10; i += 1) await store.create(record(`t${i}`, 'owner1'));
    await store.delete('s0');
    await expect(store.create(record('extra', 'owner1'))).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
  });

  it('binds an owner that is many callers by the limit of all sessions alone', async () => {
    open({ maxSessions: 3, maxSessionsPerOwner: 1, uncappedOwner: 'anybody' });
    await store.create(record('s1', 'ada'));
    await expect(store.create(record('s2', 'ada'))).rejects.toMatchObject({ reason: 'UNAVAILABLE' });

    await store.create(record('s3', 'anybody'));
    await store.create(record('s4', 'anybody'));

    await expect(store.create(record('s5', 'anybody'))).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
  });

  it('removes expired sessions without being asked, and tells of each once', async () => {
    open({ idleMs: MINUTE });
    await store.create(record('s1'));
    await store.create(record('s2'));
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(removed).toEqual(['s1', 's2']);
    await store.delete('s1');
    expect(removed).toEqual(['s1', 's2']);
  });

  it('tells of an expired session at the first call that finds it', async () => {
    open({ idleMs: MINUTE, sweepMs: 60 * MINUTE });
    await store.create(record('s1'));
    vi.setSystemTime(Date.now() + MINUTE);
    store.enter('s1', 'ada');
    expect(removed).toEqual(['s1']);
  });

  it('tells of a deleted session when it is gone', async () => {
    const found: boolean[] = [];
    open({ onRemoved: (id) => void store.delete(id).then((there) => found.push(there)) });
    await store.create(record('s1'));
    expect(await store.delete('s1')).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(found).toEqual([false]);
  });

  it('leaves its record alone when the one it was made from changes', async () => {
    open();
    const subscriptions = ['a://1'];
    await store.create({ ...record('s1'), subscriptions });
    subscriptions.push('a://2');
    expect(store.enter('s1', 'ada')).toMatchObject({ record: { subscriptions: ['a://1'] } });
  });

  it('sweeps no more once it is closed, and does not keep the process alive before', () => {
    const before = vi.getTimerCount();
    open();
    expect(vi.getTimerCount()).toBe(before + 1);
    store.close();
    expect(vi.getTimerCount()).toBe(before);

    vi.useRealTimers();
    const setIntervalSpy = vi.spyOn(globalThis, 'setInterval');
    open();
    const timer = setIntervalSpy.mock.results[0]?.value as NodeJS.Timeout;
    setIntervalSpy.mockRestore();
    expect(timer.hasRef()).toBe(false);
  });
});
