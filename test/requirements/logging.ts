import { ALL, SESSION, STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const LOGGING = page('2026-07-28', 'server/utilities/logging');
const SESSION_LOGGING = page('2025-11-25', 'server/utilities/logging');

/** Log messages to the client. */
export const logging: readonly Requirement[] = [
  {
    id: 'logging/capability',
    ...ALL,
    level: 'MUST',
    clause: 'A server that sends log messages declares the logging capability.',
    link: `${LOGGING}#capabilities`,
    tests: ['test/e2e/session/logging.spec.ts#is declared as a capability'],
  },
  {
    id: 'logging/none-without-level',
    ...STATELESS,
    level: 'MUST',
    clause: 'A request that names no log level gets no log messages.',
    link: `${LOGGING}#per-request-log-level`,
    tests: ['conformance:server-stateless'],
  },
  {
    id: 'logging/at-or-above-level',
    ...STATELESS,
    level: 'MUST',
    clause: 'A request that names a log level gets messages of that level and above, before its response.',
    link: `${LOGGING}#per-request-log-level`,
    tests: [
      'test/e2e/session/logging.spec.ts#lets through the level that the request names and above, before the response',
    ],
  },
  {
    id: 'logging/own-stream-only',
    ...STATELESS,
    level: 'MUST',
    clause: 'Log messages travel on the response stream of their request and on no other.',
    link: `${LOGGING}#per-request-log-level`,
    tests: ['test/e2e/session/logging.spec.ts#travels on the stream of its own request only'],
  },
  {
    id: 'logging/invalid-level',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'A request that names an unknown log level is refused with -32602.',
    link: `${LOGGING}#error-handling`,
    tests: ['test/e2e/session/logging.spec.ts#is refused when the level is %j'],
  },
  {
    id: 'logging/set-level',
    ...SESSION,
    level: 'MAY',
    clause: 'logging/setLevel is answered with an empty result.',
    link: `${SESSION_LOGGING}#setting-log-level`,
    tests: [
      'conformance:logging-set-level',
      'test/e2e/session/logging.spec.ts#set to %s lets through that level and above, in order and before the response',
    ],
  },
  {
    id: 'logging/set-level-filters',
    ...SESSION,
    level: 'MUST',
    clause: 'After logging/setLevel the session gets messages of that level and above only.',
    link: `${SESSION_LOGGING}#message-flow`,
    tests: [
      'test/e2e/session/logging.spec.ts#set to %s lets through that level and above, in order and before the response',
      'test/e2e/session/logging.spec.ts#has a level of its own in each session, and the last one set counts',
    ],
  },
  {
    id: 'logging/set-level-invalid',
    ...SESSION,
    level: 'SHOULD',
    clause: 'logging/setLevel with an unknown level is refused with -32602.',
    link: `${SESSION_LOGGING}#error-handling`,
    tests: ['test/e2e/session/logging.spec.ts#cannot be set to %j'],
  },
  {
    id: 'logging/during-a-call',
    ...SESSION,
    level: 'MAY',
    clause: 'What a tool logs reaches the client while the tool runs.',
    link: `${SESSION_LOGGING}#log-message-notifications`,
    tests: [
      'conformance:tools-call-with-logging',
      'test/e2e/session/logging.spec.ts#travels on the stream of its own request only',
    ],
  },
  {
    id: 'logging/rate-limited',
    ...ALL,
    level: 'SHOULD',
    clause: 'A handler that logs in a tight loop does not flood the client.',
    link: `${LOGGING}#implementation-considerations`,
    tests: [],
  },
  {
    id: 'logging/no-internals',
    ...ALL,
    level: 'MUST',
    clause: 'The server itself logs nothing to a client: no credentials, no personal data, no internal failures.',
    link: `${LOGGING}#security`,
    tests: ['test/e2e/session/logging.spec.ts#tells nothing of a failure inside the server'],
  },
];
