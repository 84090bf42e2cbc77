import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nestingDepth, nestsDeeperThan } from './json-text.js';

it.each([
  ['1', 0],
  ['{}', 1],
  ['[[],[]]', 2],
  ['{"a":[{"b":1}],"c":{}}', 3],
  ['[]'.repeat(9), 1],
])('%s nests %i levels', (text, depth) => {
  expect(nestingDepth(text)).toBe(depth);
});

it.each([
  ['"[[["', 0],
  ['["]"]', 1],
  ['{"a\\"[":"\\\\"}', 1],
  ['["\\\\",[]]', 2],
  ['"\\u005b[{"', 0],
])('brackets inside of strings do not count: %s', (text, depth) => {
  expect(nestingDepth(text)).toBe(depth);
});

it.each(['', '"', '"\\', '}}}', ']['])('yields a number for what is no JSON: %j', (text) => {
  expect(nestingDepth(text)).toBeGreaterThanOrEqual(0);
});

describe('what nests deeper than some levels', () => {
  const nested = (levels: number, [open, close]: readonly [string, string], inner: string): string =>
    open.repeat(levels) + inner + close.repeat(levels);

  it.each([
    ['objects', ['{"":', '}'], '{}'],
    ['arrays', ['[', ']'], '[]'],
    ['arrays in objects', ['{"":[', ']}'], '1'],
    ['objects in arrays', ['[{"":', '}]'], '1'],
  ] as const)('is told to the level, however short it is: %s', (_name, brackets, inner) => {
    for (let levels = 0; levels < 80; levels += 1) {
      const text = nested(levels, brackets, inner);
      const depth = nestingDepth(text);

      expect([nestsDeeperThan(depth, text), nestsDeeperThan(depth - 1, text)]).toEqual([false, true]);
    }
  });

  it('is the same as what its depth says, of any JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 12 }), fc.nat({ max: 12 }), (text, max) => {
        expect(nestsDeeperThan(max, text)).toBe(nestingDepth(text) > max);
      }),
      { numRuns: 500 },
    );
  });
});
