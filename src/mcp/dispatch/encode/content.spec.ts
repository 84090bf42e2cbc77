import { expect, it } from 'vitest';
import { isAsyncIterable, isContentBlock } from './content.js';

it.each([
  { type: 'text', text: '' },
  { type: 'image', data: '', mimeType: 'image/png' },
  { type: 'audio', data: '', mimeType: 'audio/wav' },
  { type: 'resource', resource: {} },
  { type: 'resource_link', uri: 'a://b', name: 'b' },
])('$type is a content block', (block) => {
  expect(isContentBlock(block)).toBe(true);
});

it.each([
  null,
  undefined,
  'text',
  [],
  {},
  { type: 'text' },
  { type: 'image', data: '' },
  { type: 'resource_link', uri: 'a://b' },
  { type: 'refund', text: 'a team’s own' },
  { type: 'toString', text: '' },
  { type: 7 },
])('%j is none', (value) => {
  expect(isContentBlock(value)).toBe(false);
});

it('an async generator is async iterable, an array and a string are not', () => {
  expect(isAsyncIterable((async function* () {})())).toBe(true);
  expect([[], 'text', null, undefined].map(isAsyncIterable)).toEqual([false, false, false, false]);
});
