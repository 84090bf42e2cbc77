import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quoted } from './quoted.js';

it.each([
  '',
  'plain ~',
  'a"b',
  'a\\b',
  'a\tb',
  '\u007f',
  'Straße',
  '\u2028',
  '\ud800',
  '😀',
  'x'.repeat(500),
  `${'x'.repeat(500)}"`,
])('writes %j as JSON.stringify does', (text) => expect(quoted(text)).toBe(JSON.stringify(text)));

it('writes any text as JSON.stringify does', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => quoted(text) === JSON.stringify(text)),
  );
});
