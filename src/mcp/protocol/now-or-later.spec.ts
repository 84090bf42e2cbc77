import { describe, expect, it } from 'vitest';
import { goOn, recover } from './now-or-later.js';

const boom = new Error('boom');

describe('goOn', () => {
  it('goes on at once with what is there', () => {
    expect(goOn(1, (value) => value + 1)).toBe(2);
  });

  it('goes on later with what comes', async () => {
    const next = goOn(Promise.resolve(1), (value) => value + 1);
    expect(next).toBeInstanceOf(Promise);
    expect(await next).toBe(2);
  });
});

describe('recover', () => {
  it('leaves alone what does not fail, now or later', async () => {
    expect(
      recover(
        () => 1,
        () => 2,
      ),
    ).toBe(1);
    expect(
      await recover(
        async () => 1,
        () => 2,
      ),
    ).toBe(1);
  });

  it('goes on with something else when work throws, and when it rejects', async () => {
    const thrown = (): number => {
      throw boom;
    };
    expect(recover<unknown>(thrown, (error) => error)).toBe(boom);
    expect(
      await recover<unknown>(
        () => Promise.reject(boom),
        (error) => error,
      ),
    ).toBe(boom);
  });
});
