import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../protocol/schema-source.js';
import { mergeKeywords } from './merge-keywords.js';

describe('mergeKeywords', () => {
  it.each<[string, JsonSchema, JsonSchema, JsonSchema]>([
    ['the narrower type', { type: 'integer' }, { type: 'number' }, { type: 'integer' }],
    [
      'the higher lower bound',
      { minimum: 5, minLength: 1 },
      { minimum: 2, minLength: 3 },
      { minimum: 5, minLength: 3 },
    ],
    ['the lower upper bound', { maximum: 5, maxItems: 1 }, { maximum: 2, maxItems: 3 }, { maximum: 2, maxItems: 1 }],
    ['the common values', { enum: ['a', 'b'] }, { enum: ['b', 'c'] }, { enum: ['b'] }],
    ['both of two patterns', { pattern: '^a' }, { pattern: 'b$' }, { pattern: '^a', allOf: [{ pattern: 'b$' }] }],
    ['one of two equal patterns', { pattern: '^a' }, { pattern: '^a' }, { pattern: '^a' }],
    [
      'items as schemas',
      { items: { type: 'string' } },
      { items: { maxLength: 2 } },
      { items: { type: 'string', maxLength: 2 } },
    ],
  ])('keeps %s', (_name, a, b, expected) => {
    expect(mergeKeywords(a, b)).toEqual(expected);
  });
});
