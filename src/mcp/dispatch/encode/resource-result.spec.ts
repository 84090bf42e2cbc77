import { expect, it } from 'vitest';
import { resourceResult } from './resource-result.js';

const uri = 'a://b';

it('sends text, bytes and objects, each with its type', () => {
  expect(resourceResult('', uri, undefined)).toEqual({ contents: [{ uri, mimeType: 'text/plain', text: '' }] });
  expect(resourceResult({ a: 1 }, uri, undefined)).toEqual({
    contents: [{ uri, mimeType: 'application/json', text: '{"a":1}' }],
  });
  expect(resourceResult(Uint8Array.of(255, 0), uri, undefined)).toEqual({
    contents: [{ uri, mimeType: 'application/octet-stream', blob: '/wA=' }],
  });
  expect(resourceResult('# A', uri, 'text/markdown')).toEqual({
    contents: [{ uri, mimeType: 'text/markdown', text: '# A' }],
  });
});

it('sends a part of a buffer, not what it is a part of', () => {
  const whole = Buffer.from('secret|public');

  expect(resourceResult(whole.subarray(7), uri, undefined)).toMatchObject({
    contents: [{ blob: Buffer.from('public').toString('base64') }],
  });
});

it('passes a full result on, and takes an object with contents of another kind for content', () => {
  const full = { contents: [{ uri, text: 'x' }], _meta: {} };

  expect(resourceResult(full, uri, undefined)).toBe(full);
  expect(resourceResult({ contents: ['page one'] }, uri, undefined)).toEqual({
    contents: [{ uri, mimeType: 'application/json', text: '{"contents":["page one"]}' }],
  });
});

it('there is no such resource where nothing is returned', () => {
  expect([null, undefined, { contents: [] }].map((value) => resourceResult(value, uri, undefined))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
