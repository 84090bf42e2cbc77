import { expect, it } from 'vitest';
import { CREDENTIAL_HEADERS, withoutHeaders } from './secret-headers.js';

const SENT = { host: 'a', authorization: 'Bearer b', cookie: 'c', accept: ['d', 'e'] };

it('leaves out what is named, and nothing of the original', () => {
  expect(withoutHeaders(SENT, CREDENTIAL_HEADERS)).toEqual({ host: 'a', accept: ['d', 'e'] });
  expect(SENT).toHaveProperty('authorization');
});

it('copies nothing when there is nothing to leave out', () => {
  const sent = { host: 'a' };
  expect(withoutHeaders(sent, CREDENTIAL_HEADERS)).toBe(sent);
});
