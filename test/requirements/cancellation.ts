import { ALL, SESSION, STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const CANCELLATION = page('2026-07-28', 'basic/patterns/cancellation');
const SESSION_CANCELLATION = page('2025-11-25', 'basic/utilities/cancellation');
const LIFECYCLE = page('2025-11-25', 'basic/lifecycle');
const PROGRESS = page('2026-07-28', 'basic/patterns/progress');

/** Cancellation by notification, timeouts and progress. Cancellation by disconnect: `stateless-transport.ts`. */
export const cancellation: readonly Requirement[] = [
  {
    id: 'cancellation/stops-work',
    ...SESSION,
    level: 'SHOULD',
    clause: 'notifications/cancelled stops the request it names: its signal aborts, and what it held is freed.',
    link: `${SESSION_CANCELLATION}#behavior-requirements`,
    tests: ['test/e2e/session/running-calls.spec.ts#stops the request, and no response follows on its stream'],
  },
  {
    id: 'cancellation/no-response',
    ...SESSION,
    level: 'SHOULD',
    clause: 'A cancelled request gets no response.',
    link: `${SESSION_CANCELLATION}#behavior-requirements`,
    tests: ['test/e2e/session/running-calls.spec.ts#stops the request, and no response follows on its stream'],
  },
  {
    id: 'cancellation/unknown-request-ignored',
    ...ALL,
    level: 'SHOULD',
    clause: 'A cancellation that is malformed, or of an unknown or finished request, is ignored.',
    link: `${CANCELLATION}#error-handling`,
    tests: [
      'test/e2e/stateless/cancellation.spec.ts#is the only way: notifications/cancelled with %j is accepted and ignored',
    ],
  },
  {
    id: 'cancellation/race-with-response',
    ...ALL,
    level: 'MUST',
    clause: 'A cancellation that crosses with the response does no harm.',
    link: `${CANCELLATION}#timing-considerations`,
    tests: ['test/e2e/stateless/cancellation.spec.ts#does no harm when it crosses with the response'],
  },
  {
    id: 'cancellation/server-cancels-listen-only',
    ...STATELESS,
    level: 'MUST',
    clause: 'The server sends notifications/cancelled for nothing but a subscription that it ends.',
    link: `${CANCELLATION}#behavior-requirements`,
    tests: [
      'test/e2e/stateless/cancellation.spec.ts#is never what the server sends: a call that times out is told in its result',
    ],
  },
  {
    id: 'cancellation/server-request-timeout',
    ...SESSION,
    level: 'SHOULD',
    clause: 'A request to the client that stays unanswered times out and is cancelled towards the client.',
    link: `${LIFECYCLE}#timeouts`,
    tests: ['test/e2e/session/endings.spec.ts#does not wait for an answer for ever'],
  },
  {
    id: 'progress/token-echoed',
    ...ALL,
    level: 'MUST',
    clause: 'Progress names the token of its request, string or integer, unchanged.',
    link: `${PROGRESS}#behavior-requirements`,
    tests: [
      'conformance:tools-call-with-progress',
      'test/e2e/stateless/notifications.spec.ts#names the progress token %j, and ends with the response',
    ],
  },
  {
    id: 'progress/only-with-token',
    ...ALL,
    level: 'MUST',
    clause: 'A request without a token gets no progress.',
    link: `${PROGRESS}#behavior-requirements`,
    tests: ['test/e2e/stateless/notifications.spec.ts#sends no progress to a request with the metadata %j'],
  },
  {
    id: 'progress/increases',
    ...ALL,
    level: 'MUST',
    clause: 'Progress only ever increases; a value that does not is not sent.',
    link: `${PROGRESS}#progress-flow`,
    tests: ['test/e2e/stateless/notifications.spec.ts#sends only progress that increases'],
  },
  {
    id: 'progress/stops-with-the-request',
    ...ALL,
    level: 'MUST',
    clause: 'No progress is sent after the response.',
    link: `${PROGRESS}#implementation-notes`,
    tests: ['test/e2e/stateless/notifications.spec.ts#sends nothing for a call that has been answered'],
  },
  {
    id: 'progress/rate-limited',
    ...ALL,
    level: 'SHOULD',
    clause: 'A handler that reports progress in a tight loop does not flood the client.',
    link: `${PROGRESS}#implementation-notes`,
    tests: [],
  },
];
