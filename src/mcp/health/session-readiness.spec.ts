import { expect, it } from 'vitest';
import { sessionReadiness } from './session-readiness.js';

it.each([
  ['never reached: a wrong address must not take over', false, false, { ready: false, degraded: true }],
  ['reached', true, true, { ready: true, degraded: false }],
  ['lost again, as it is for all replicas', true, false, { ready: true, degraded: true }],
])('of a backend that was %s', (_what, reached, available, state) => {
  const check = sessionReadiness(() => ({ reached, available, detail: 'Redis at cache:6379' }));

  expect(check.name).toBe('sessions');
  expect(check.check()).toEqual({ ...state, detail: 'Redis at cache:6379' });
});
