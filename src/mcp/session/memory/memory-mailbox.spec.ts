import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { MemoryMailbox } from './memory-mailbox.js';

/** The behaviour of the port is in test/contract; here is what is particular to memory. */
describe('MemoryMailbox', () => {
  it('lets go of the signal once the answer is there', async () => {
    const mailbox = new MemoryMailbox();
    const { signal } = new AbortController();
    const pending = mailbox.expect('s1', 'ask', signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await mailbox.answer('s1', 'ask', { result: {} });
    await pending;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('lets go of the signal once the session has ended', async () => {
    const mailbox = new MemoryMailbox();
    const { signal } = new AbortController();
    const pending = mailbox.expect('s1', 'ask', signal);
    await mailbox.end('s1');
    await expect(pending).rejects.toThrow('The session has ended. Initialize a new one.');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('is registered as soon as expect returns, since memory needs no round trip', async () => {
    const mailbox = new MemoryMailbox();
    const pending = mailbox.expect('s1', 'ask', new AbortController().signal);
    expect(await mailbox.answer('s1', 'ask', { result: {} })).toBe(true);
    expect(await pending).toEqual({ result: {} });
  });

  it('refuses a question whose id is pending, and keeps the first', async () => {
    const mailbox = new MemoryMailbox();
    const { signal } = new AbortController();
    const pending = mailbox.expect('s1', 'ask', signal);
    await expect(mailbox.expect('s1', 'ask', signal)).rejects.toThrow('A request with this id is pending.');
    await mailbox.answer('s1', 'ask', { result: { first: true } });
    expect(await pending).toEqual({ result: { first: true } });
  });

  it('does not let a call that ended stop one that came after it', async () => {
    const mailbox = new MemoryMailbox();
    const heard: string[] = [];
    const stop = mailbox.listen('s1', 1, { cancelled: () => undefined, ended: () => undefined });
    await mailbox.end('s1');
    mailbox.listen('s1', 1, { cancelled: () => heard.push('cancelled'), ended: () => undefined });
    stop();
    await mailbox.cancel('s1', 1, undefined);
    expect(heard).toEqual(['cancelled']);
  });
});
