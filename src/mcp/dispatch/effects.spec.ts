import { describe, expect, it, vi } from 'vitest';
import { CallSuspended } from '../protocol/interruptions.js';
import { Effects, requireOutsideEffect } from './effects.js';

describe('once', () => {
  it('runs an effect one time, also when it is asked for while it is under way', async () => {
    const effects = new Effects({});
    const effect = vi.fn(async () => ({ paid: 42 }));

    const both = await Promise.all([effects.once('pay', effect), effects.once('pay', effect)]);

    expect(both).toEqual([{ paid: 42 }, { paid: 42 }]);
    expect(await effects.once('pay', effect)).toEqual({ paid: 42 });
    expect(effect).toHaveBeenCalledOnce();
    expect(effects.values).toEqual({ pay: { paid: 42 } });
  });

  it('does not run what an earlier round has done', async () => {
    const effect = vi.fn();

    expect(await new Effects({ pay: 'done' }).once('pay', effect)).toBe('done');
    expect(effect).not.toHaveBeenCalled();
  });

  it('remembers an effect without value', async () => {
    const effects = new Effects({});
    const effect = vi.fn();

    await effects.once('mail', effect);
    await effects.once('mail', effect);

    expect(effect).toHaveBeenCalledOnce();
    expect(effects.values).toEqual({ mail: null });
  });

  it('runs an effect again that failed', async () => {
    const effects = new Effects({});
    const effect = vi.fn().mockRejectedValueOnce(new Error('busy')).mockResolvedValue('paid');

    await expect(effects.once('pay', effect)).rejects.toThrow('busy');
    expect(effects.values).toEqual({});
    expect(await effects.once('pay', effect)).toBe('paid');
  });

  it('takes names that every object has for names like others', async () => {
    expect(await new Effects({}).once('toString', () => 1)).toBe(1);
  });

  it('turns what an effect throws at once into a rejection', async () => {
    const thrown = () => {
      throw new Error('at once');
    };

    await expect(new Effects({}).once('x', thrown)).rejects.toThrow('at once');
  });
});

describe('close', () => {
  it('waits for what is under way', async () => {
    const effects = new Effects({});
    let finish = (_value: number): void => undefined;
    const running = effects.once('slow', () => new Promise<number>((resolve) => (finish = resolve)));
    const closed = vi.fn();
    const closing = effects.close().then(closed);

    await new Promise((turn) => setImmediate(turn));
    expect(closed).not.toHaveBeenCalled();
    finish(1);
    await closing;

    expect(await running).toBe(1);
    expect(effects.values).toEqual({ slow: 1 });
  });

  it('lets nothing start any more, and still knows what was done', async () => {
    const effects = new Effects({ done: 1 });
    await effects.close();

    await expect(effects.once('late', () => 2)).rejects.toBeInstanceOf(CallSuspended);
    expect(await effects.once('done', () => 3)).toBe(1);
  });

  it('is not held up by an effect that fails', async () => {
    const effects = new Effects({});
    const failing = effects.once('x', () => Promise.reject(new Error('no'))).catch(() => 'failed');

    await effects.close();

    expect(await failing).toBe('failed');
  });
});

it('an effect cannot ask the client', async () => {
  requireOutsideEffect();
  const asking = new Effects({}).once('pay', async () => {
    await Promise.resolve();
    requireOutsideEffect();
  });

  await expect(asking).rejects.toThrow('once("pay") asks the client');
});

it('yields in the first round what JSON will make of it in later ones', async () => {
  const effects = new Effects({});

  const first = await effects.once('stamp', () => ({ at: new Date(0), note: undefined }));

  expect(first).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  expect(effects.values).toEqual({ stamp: { at: '1970-01-01T00:00:00.000Z' } });
});
