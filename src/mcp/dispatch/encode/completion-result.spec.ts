import { expect, it } from 'vitest';
import { completionResult } from './completion-result.js';

it('counts what it is given', () => {
  expect(completionResult(['a', 'b'], 'X.y')).toEqual({ completion: { values: ['a', 'b'], total: 2, hasMore: false } });
  expect(completionResult([], 'X.y')).toEqual({ completion: { values: [], total: 0, hasMore: false } });
});

it('sends a hundred values at most, and says that there are more', () => {
  const values = Array.from({ length: 101 }, (_, n) => `${n}`);

  expect(completionResult(values.slice(0, 100), 'X.y')).toMatchObject({ completion: { total: 100, hasMore: false } });
  expect(completionResult(values, 'X.y')).toEqual({
    completion: { values: values.slice(0, 100), total: 101, hasMore: true },
  });
});

it('believes a handler that knows better', () => {
  expect(completionResult({ values: ['a'], total: 500 }, 'X.y')).toEqual({
    completion: { values: ['a'], total: 500, hasMore: true },
  });
  expect(completionResult({ values: ['a'], hasMore: true }, 'X.y')).toMatchObject({ completion: { hasMore: true } });
});

it.each([null, undefined, 'a', 7, {}, [1], { values: 'a' }, { values: [null] }])(
  'refuses %j, naming the handler',
  (value) => {
    expect(() => completionResult(value, 'X.y')).toThrow(/^X\.y must return/);
  },
);
