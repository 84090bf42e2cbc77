import { describe, expect, it, vi } from 'vitest';
import { remembering } from './remembering.js';

describe('a function that remembers', () => {
  it('computes once for each text', () => {
    const compute = vi.fn((text: string) => text.length);
    const length = remembering(10, compute);
    expect([length('ada'), length('ada'), length('grace')]).toEqual([3, 3, 5]);
    expect(compute).toHaveBeenCalledTimes(2);
  });

  it('remembers undefined and false as well', () => {
    const compute = vi.fn(() => undefined);
    const nothing = remembering(10, compute);
    nothing('a');
    nothing('a');
    expect(compute).toHaveBeenCalledTimes(1);
  });

  it('holds no more texts than it may, and none that is long', () => {
    const compute = vi.fn((text: string) => text.length);
    const length = remembering(2, compute);
    for (const text of ['a', 'b', 'c', 'a']) length(text);
    expect(compute).toHaveBeenCalledTimes(4);

    length('x'.repeat(513));
    length('x'.repeat(513));
    expect(compute).toHaveBeenCalledTimes(6);
  });
});
