import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionRecord } from '../session-record.js';
import { createMemorySession, type MemorySession } from './memory-session.js';

describe('createMemorySession', () => {
  let session: MemorySession;
  let now: number;
  const heard: string[] = [];

  const record: SessionRecord = {
    id: 's1',
    owner: 'ada',
    revision: '2025-11-25',
    clientInfo: { name: 'client', version: '1' },
    clientCapabilities: {},
    logLevel: undefined,
    subscriptions: [],
    seen: '',
    createdAt: 0,
  };

  beforeEach(async () => {
    vi.useFakeTimers();
    now = 0;
    heard.length = 0;
    session = createMemorySession({ store: { idleMs: 1_000 }, now: () => now });
    await session.store.create(record);
    session.mailbox.listen('s1', 1, { cancelled: () => undefined, ended: () => heard.push('ended') });
    await session.events.attach('s1', 'a', { wake: () => undefined, displaced: () => void heard.push('displaced') });
    session.events.append('s1', 'a', 'x');
  });
  afterEach(() => {
    session.close();
    vi.useRealTimers();
  });

  it('ends the calls and drops the streams of a session that is deleted', async () => {
    await session.store.delete('s1');
    expect(heard).toEqual(['ended', 'displaced']);
    expect(session.events.read('s1', 'a', '', 1)).toEqual({ status: 'unknown' });
  });

  it('ends the calls and drops the streams of a session that expires, though nobody asks for it', async () => {
    now = 1_000;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(heard).toEqual(['ended', 'displaced']);
    expect(session.events.read('s1', 'a', '', 1)).toEqual({ status: 'unknown' });
  });

  it('leaves other sessions alone', async () => {
    await session.store.create({ ...record, id: 's2' });
    await session.store.delete('s2');
    expect(heard).toEqual([]);
    expect(session.events.read('s1', 'a', '', 1)).toMatchObject({ status: 'ok' });
  });

  it('stops all its timers', () => {
    session.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
