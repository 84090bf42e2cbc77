import { expect, it, vi } from 'vitest';
import { OpenStreams } from './open-streams.js';

const UNAVAILABLE = expect.objectContaining({ reason: 'UNAVAILABLE', status: 503 });

it('holds as many as it may, and takes a new one when one has gone', () => {
  const streams = new OpenStreams(2);
  const release = streams.open(vi.fn());
  streams.open(vi.fn());

  expect(() => streams.open(vi.fn())).toThrow(UNAVAILABLE);
  release();
  release();
  expect(streams.size).toBe(1);
  streams.open(vi.fn());
  expect(streams.size).toBe(2);
});

it('ends all that are open once, and lets no new one in', () => {
  const streams = new OpenStreams(10);
  const ended: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    // A stream that ends counts itself out, while the others are still to be ended.
    const release = streams.open(() => {
      ended.push(name);
      release();
    });
  }

  streams.drain();

  expect(ended).toEqual(['a', 'b', 'c']);
  expect(streams.size).toBe(0);
  expect(() => streams.open(vi.fn())).toThrow(UNAVAILABLE);
});
