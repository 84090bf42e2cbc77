import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ReadinessState } from './readiness-check.port.js';
import { Readiness } from './readiness.js';

const logged: string[] = [];
beforeEach(() => {
  const note = (level: string) => (message: unknown) => void logged.push(`${level}: ${String(message)}`);
  vi.spyOn(Logger.prototype, 'error').mockImplementation(note('error'));
  vi.spyOn(Logger.prototype, 'warn').mockImplementation(note('warn'));
  vi.spyOn(Logger.prototype, 'log').mockImplementation(note('log'));
});
afterEach(() => {
  vi.restoreAllMocks();
  logged.length = 0;
});

describe('checks', () => {
  it('are all asked, each under its name', async () => {
    const readiness = new Readiness([{ name: 'server', check: () => ({ ready: true }) }]);
    readiness.add({ name: 'catalogue', check: async () => ({ ready: false, detail: 'It is being loaded.' }) });

    expect(await readiness.find()).toEqual([
      { name: 'server', ready: true },
      { name: 'catalogue', ready: false, detail: 'It is being loaded.' },
    ]);
  });

  it('that throw count as not ready, and say nothing of why', async () => {
    const fail = (): never => {
      throw new Error('redis://admin:secret@cache');
    };
    const readiness = new Readiness([
      { name: 'now', check: fail },
      { name: 'later', check: async () => fail() },
    ]);

    await readiness.find();

    expect(await readiness.find()).toEqual([
      { name: 'now', ready: false, detail: 'The check failed.' },
      { name: 'later', ready: false, detail: 'The check failed.' },
    ]);
    expect(logged).toEqual([
      'error: The readiness check "now" failed.',
      'error: The readiness check "later" failed.',
      'warn: Not ready. now: The check failed. later: The check failed.',
    ]);
  });

  it('that hang are not called again before they end, and count as not ready', async () => {
    vi.useFakeTimers();
    let end: (state: ReadinessState) => void = () => undefined;
    const check = vi.fn(() => new Promise<ReadinessState>((resolve) => (end = resolve)));
    const readiness = new Readiness([{ name: 'catalogue', check }]);
    const probe = async () => {
      const [found] = await Promise.all([readiness.find(), vi.advanceTimersByTimeAsync(1_000)]);
      return found[0]?.ready;
    };

    expect([await probe(), await probe(), check.mock.calls.length]).toEqual([false, false, 1]);
    end({ ready: true });
    await vi.advanceTimersByTimeAsync(0);
    const late = readiness.find();
    end({ ready: true });

    expect([(await late)[0]?.ready, check.mock.calls.length]).toEqual([true, 2]);
    vi.useRealTimers();
  });

  it('have the same time if what they return is no native promise', async () => {
    vi.useFakeTimers();
    const never = { then: () => never } as unknown as Promise<ReadinessState>;
    const found = new Readiness([{ name: 'catalogue', check: () => never }]).find();
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await found).toEqual([{ name: 'catalogue', ready: false, detail: 'The check failed.' }]);
    vi.useRealTimers();
  });

  it('can be taken away, and have names of their own', async () => {
    const readiness = new Readiness();
    const remove = readiness.add({ name: 'catalogue', check: () => ({ ready: false }) });

    expect(() => readiness.add({ name: 'catalogue', check: () => ({ ready: true }) })).toThrow(/"catalogue" already/);
    remove();

    expect(await readiness.find()).toEqual([]);
  });
});

it('logs what changes, once', async () => {
  let state: ReadinessState = { ready: true };
  const readiness = new Readiness([{ name: 'sessions', check: () => state }]);
  const states: ReadinessState[] = [
    { ready: true },
    { ready: false, detail: 'Not reached yet.' },
    { ready: false, detail: 'Not reached yet.' },
    { ready: true, degraded: true },
    { ready: true, degraded: true },
    { ready: true },
  ];

  for (state of states) await readiness.find();

  expect(logged).toEqual([
    'warn: Not ready. sessions: Not reached yet.',
    'warn: Ready, but degraded. sessions',
    'log: Ready, and nothing is degraded any more.',
  ]);
});
