import { expect, it } from 'vitest';
import { withOffset } from './local-time.js';

it.each([
  [3_600, '2026-03-01T12:15:00+01:00'],
  [0, '2026-03-01T12:15:00+00:00'],
  [-12_600, '2026-03-01T12:15:00-03:30'],
  [20_700, '2026-03-01T12:15:00+05:45'],
])('an offset of %i seconds', (offset, expected) => expect(withOffset('2026-03-01T12:15', offset)).toBe(expected));
