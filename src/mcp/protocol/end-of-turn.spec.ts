import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { atEndOfTurn } from './end-of-turn.js';

describe('what is put off to the end of the turn', () => {
  it('comes after all that is settled in the turn, in its order', async () => {
    const order: string[] = [];
    atEndOfTurn({ endOfTurn: () => order.push('first') });
    atEndOfTurn({ endOfTurn: () => order.push('second') });
    void Promise.resolve().then(() => order.push('settled'));
    process.nextTick(() => order.push('ticked'));
    await setImmediate();
    expect(order).toHaveLength(4);
    expect(order.slice(2)).toEqual(['first', 'second']);
  });

  it('may put off again, to the end of the next turn', async () => {
    const turns: number[] = [];
    const again = { endOfTurn: () => void (turns.push(turns.length) < 2 && atEndOfTurn(again)) };
    atEndOfTurn(again);
    await setImmediate();
    expect(turns).toEqual([0]);
    await setImmediate();
    expect(turns).toEqual([0, 1]);
  });
});
