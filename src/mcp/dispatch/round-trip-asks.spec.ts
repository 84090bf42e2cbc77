import { describe, expect, it, vi } from 'vitest';
import { CallSuspended } from '../protocol/interruptions.js';
import type { ClientRequest } from './call-origin.js';
import { RoundTripAsks, type RoundTripState, type Suspension } from './round-trip-asks.js';

const question = (message: string): ClientRequest => ({
  method: 'elicitation/create',
  params: { mode: 'form', message },
});
const yes = { action: 'accept', content: { ok: true } };
const anyAnswer = () => true;

/** One round: what the handler does with its asks, and how the round ended. */
async function round(
  handler: (asks: RoundTripAsks) => Promise<unknown>,
  state?: RoundTripState,
  responses: Record<string, unknown> = {},
): Promise<{ value?: unknown; error?: unknown; suspension?: Suspension }> {
  let suspension: Suspension | undefined;
  const asks = new RoundTripAsks(
    state,
    responses,
    { elicitation: {}, sampling: {}, roots: {} },
    (end) => (suspension = end),
  );
  try {
    return { value: await handler(asks) };
  } catch (error) {
    return { error, ...(suspension && { suspension }) };
  }
}

/** The next round: the client repeats the state and answers. */
function answered({ suspension }: { suspension?: Suspension }, responses: Record<string, unknown>) {
  return [suspension?.state, responses] as const;
}

describe('a question', () => {
  const handler = (asks: RoundTripAsks) => asks.ask(question('Sure?'), undefined, anyAnswer);

  it('ends the round, and is answered in the next', async () => {
    const first = await round(handler);
    expect(first.error).toBeInstanceOf(CallSuspended);
    expect(first.suspension?.inputRequests).toEqual({ elicitation_1: question('Sure?') });

    const second = await round(handler, ...answered(first, { elicitation_1: yes }));
    expect(second.value).toEqual(yes);
  });

  it('is asked again when the answer cannot be used, is none, or does not come', async () => {
    const first = await round(handler);
    const strict = (asks: RoundTripAsks) => asks.ask(question('Sure?'), undefined, () => false);

    for (const responses of [
      { elicitation_1: 'yes' },
      { elicitation_1: null },
      { elicitation_1: [] },
      { other: yes },
      {},
    ]) {
      expect((await round(handler, ...answered(first, responses))).suspension?.inputRequests).toHaveProperty(
        'elicitation_1',
      );
    }
    expect((await round(strict, ...answered(first, { elicitation_1: yes }))).suspension?.state.answers).toEqual({});
  });

  it('that has changed is asked, not answered with what was said to another', async () => {
    const first = await round((asks) => asks.ask(question('Pay 1?'), 'pay', anyAnswer));
    const second = await round(
      (asks) => asks.ask(question('Pay 1,000?'), 'pay', anyAnswer),
      ...answered(first, { pay: yes }),
    );

    expect(second.suspension?.inputRequests).toEqual({ pay: question('Pay 1,000?') });
  });

  it('can be answered before it is asked', async () => {
    expect((await round(handler, undefined, { elicitation_1: yes })).value).toEqual(yes);
  });

  it('takes no answer to what was not asked, once there is a state', async () => {
    const first = await round(handler);
    const two = async (asks: RoundTripAsks) => {
      await asks.ask(question('Sure?'), undefined, anyAnswer);
      return asks.ask(question('Really?'), undefined, anyAnswer);
    };

    const second = await round(two, ...answered(first, { elicitation_1: yes, elicitation_2: yes }));

    expect(second.suspension?.inputRequests).toEqual({ elicitation_2: question('Really?') });
  });

  it('is not asked of a client that cannot answer it', async () => {
    const suspend = vi.fn();
    const asks = new RoundTripAsks(undefined, {}, {}, suspend);

    await expect(asks.ask(question('Sure?'), undefined, anyAnswer)).rejects.toMatchObject({ code: -32021 });
    await new Promise((turn) => setImmediate(turn));
    expect(suspend).not.toHaveBeenCalled();
  });
});

describe('several questions', () => {
  it('asked together travel together, under keys of their own', async () => {
    const handler = (asks: RoundTripAsks) =>
      Promise.all([
        asks.ask(question('A?'), undefined, anyAnswer),
        asks.ask(question('B?'), undefined, anyAnswer),
        asks.ask({ method: 'roots/list', params: {} }, undefined, anyAnswer),
        asks.ask({ method: 'sampling/createMessage', params: {} }, 'poem', anyAnswer),
      ]);

    const first = await round(handler);

    expect(Object.keys(first.suspension?.inputRequests ?? {})).toEqual([
      'elicitation_1',
      'elicitation_2',
      'roots_1',
      'poem',
    ]);
  });

  it('asked one after the other take a round each; the first is not asked again', async () => {
    const handler = async (asks: RoundTripAsks) => {
      const a = await asks.ask(question('A?'), undefined, anyAnswer);
      const b = await asks.ask(question('B?'), undefined, anyAnswer);
      return [a, b];
    };

    const first = await round(handler);
    const second = await round(handler, ...answered(first, { elicitation_1: yes }));
    const third = await round(handler, ...answered(second, { elicitation_2: { action: 'decline' } }));

    expect(Object.keys(second.suspension?.inputRequests ?? {})).toEqual(['elicitation_2']);
    expect(third.value).toEqual([yes, { action: 'decline' }]);
  });

  it('cannot share a key', async () => {
    const handler = (asks: RoundTripAsks) =>
      Promise.all([asks.ask(question('A?'), 'same', anyAnswer), asks.ask(question('B?'), 'same', anyAnswer)]);

    expect((await round(handler)).error).toMatchObject({ message: expect.stringContaining('the key "same"') });
  });

  it('take names that every object has for names like others', async () => {
    const handler = (asks: RoundTripAsks) => asks.ask(question('A?'), 'toString', anyAnswer);

    const first = await round(handler);

    expect(first.suspension?.inputRequests).toHaveProperty('toString', question('A?'));
    expect((await round(handler, ...answered(first, { toString: yes }))).value).toEqual(yes);
  });
});

describe('once', () => {
  it('happens in the first round alone', async () => {
    const effect = vi.fn(async () => 'charged');
    const handler = async (asks: RoundTripAsks) => {
      const charge = await asks.once('charge', effect);
      await asks.ask(question('Receipt?'), undefined, anyAnswer);
      return charge;
    };

    const first = await round(handler);
    const second = await round(handler, ...answered(first, { elicitation_1: yes }));

    expect(second.value).toBe('charged');
    expect(effect).toHaveBeenCalledOnce();
  });

  it('that is under way when the round ends is waited for', async () => {
    const effect = vi.fn(() => new Promise<string>((resolve) => setTimeout(() => resolve('charged'), 20)));
    const handler = (asks: RoundTripAsks) =>
      Promise.all([asks.once('charge', effect), asks.ask(question('Receipt?'), undefined, anyAnswer)]);

    const first = await round(handler);

    expect(first.suspension?.state.effects).toEqual({ charge: 'charged' });
    expect((await round(handler, ...answered(first, { elicitation_1: yes }))).value).toEqual(['charged', yes]);
    expect(effect).toHaveBeenCalledOnce();
  });
});

it('a handler that catches the suspension cannot ask or act any more', async () => {
  const effect = vi.fn();
  const late: unknown[] = [];
  await round(async (asks) => {
    await asks.ask(question('A?'), undefined, anyAnswer).catch(() => undefined);
    late.push(await asks.ask(question('B?'), undefined, anyAnswer).catch((error: unknown) => error));
    late.push(await asks.once('charge', effect).catch((error: unknown) => error));
  });

  expect(late).toEqual([expect.any(CallSuspended), expect.any(CallSuspended)]);
  expect(effect).not.toHaveBeenCalled();
});
