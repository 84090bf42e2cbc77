import { expect, it } from 'vitest';
import { nestingDepth } from './json-text.js';

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
