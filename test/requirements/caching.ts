import { ALL, STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const CACHING = page('2026-07-28', 'server/utilities/caching');
const PAGINATION = page('2026-07-28', 'server/utilities/pagination');

/** Cache hints and pages of lists. */
export const caching: readonly Requirement[] = [
  {
    id: 'caching/lists',
    ...STATELESS,
    level: 'MUST',
    clause: 'The four lists carry ttlMs and cacheScope.',
    link: `${CACHING}#cacheable-results`,
    tests: [
      'conformance:caching',
      'test/e2e/stateless/caching.spec.ts#are on %s: not to be kept and private unless configured',
      'test/e2e/stateless/caching.spec.ts#are on %s as configured',
    ],
  },
  {
    id: 'caching/resources-read',
    ...STATELESS,
    level: 'MUST',
    clause: 'resources/read carries ttlMs and cacheScope.',
    link: `${CACHING}#cacheable-results`,
    tests: ['conformance:caching', 'test/e2e/stateless/caching.spec.ts#are on what is read from %s: %i ms, %s'],
  },
  {
    id: 'caching/discover',
    ...STATELESS,
    level: 'MUST',
    clause: 'server/discover carries ttlMs and cacheScope.',
    link: `${CACHING}#cacheable-results`,
    tests: [
      'test/e2e/stateless/caching.spec.ts#are on %s: not to be kept and private unless configured',
      'test/e2e/stateless/caching.spec.ts#are on %s as configured',
    ],
  },
  {
    id: 'caching/ttl',
    ...STATELESS,
    level: 'MUST',
    clause: 'ttlMs is an integer of zero or more.',
    link: `${CACHING}#time-to-live-ttl-field`,
    tests: [
      'conformance:caching',
      'test/e2e/stateless/caching.spec.ts#of %d ms for a resource stop the boot',
      'test/e2e/stateless/caching.spec.ts#of %d ms for the lists stop the boot',
    ],
  },
  {
    id: 'caching/scope',
    ...STATELESS,
    level: 'MUST',
    clause: 'cacheScope is public or private.',
    link: `${CACHING}#cache-scope-field`,
    tests: ['conformance:caching', 'test/e2e/stateless/caching.spec.ts#are on what is read from %s: %i ms, %s'],
  },
  {
    id: 'caching/no-hints-on-input-required',
    ...STATELESS,
    level: 'MUST',
    clause: 'An input_required result carries no cache hints.',
    link: `${CACHING}#cacheable-results`,
    tests: ['test/e2e/stateless/mrtr-rounds.spec.ts#carries no cache hints on a resource that asks first'],
  },
  {
    id: 'caching/one-scope-for-all-pages',
    ...STATELESS,
    level: 'MUST',
    clause: 'All pages of a list have the same cacheScope.',
    link: `${CACHING}#interaction-with-pagination`,
    tests: ['test/e2e/stateless/caching.spec.ts#are the same on every page of a list'],
  },
  {
    id: 'caching/private-when-it-varies',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'A result that can differ between callers is private.',
    link: `${CACHING}#choosing-a-cache-scope`,
    tests: [
      'test/e2e/stateless/caching.spec.ts#are on %s: not to be kept and private unless configured',
      'test/e2e/stateless/caching.spec.ts#are on what is read from %s: %i ms, %s',
    ],
  },
  {
    id: 'pagination/complete',
    ...ALL,
    level: 'SHOULD',
    clause: 'Following nextCursor through any of the four lists yields every entry once; the last page has none.',
    link: `${PAGINATION}#implementation-guidelines`,
    tests: ['test/e2e/stateless/caching.spec.ts#of %s hold every entry once, and the last has no cursor'],
  },
  {
    id: 'pagination/invalid-cursor',
    ...ALL,
    level: 'SHOULD',
    clause: 'A cursor that the server did not issue is refused with -32602.',
    link: `${PAGINATION}#error-handling`,
    tests: ['test/e2e/stateless/caching.spec.ts#of %s are not found under a cursor of another making'],
  },
];
