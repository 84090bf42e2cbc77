import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Rounds } from './rounds.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('each member has its turn once in a period, counted from when it came', () => {
  const visited: string[] = [];
  const rounds = new Rounds<string>(1_000, (member) => visited.push(member));

  rounds.add('a');
  vi.advanceTimersByTime(500);
  rounds.add('b');
  vi.advanceTimersByTime(550);
  expect(visited).toEqual(['a']);

  vi.advanceTimersByTime(500);
  expect(visited).toEqual(['a', 'b']);

  vi.advanceTimersByTime(2_000);
  expect(visited).toEqual(['a', 'b', 'a', 'b', 'a', 'b'].slice(0, visited.length));
  expect(visited.length).toBeGreaterThanOrEqual(5);
});

it('who has left has no turn, and without members there is no timer', () => {
  const visit = vi.fn();
  const rounds = new Rounds<string>(1_000, visit);
  rounds.add('a');
  rounds.add('b');

  rounds.remove('a');
  vi.advanceTimersByTime(1_100);
  expect(visit.mock.calls).toEqual([['b']]);

  rounds.remove('b');
  expect(vi.getTimerCount()).toBe(0);
});
