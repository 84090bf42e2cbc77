import { ALL, ALL_2025_11_25_ON, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const HTTP = page('2026-07-28', 'basic/transports/streamable-http');
const SESSIONS = page('2025-11-25', 'basic/transports');

/** What Streamable HTTP asks of the one endpoint, whichever era a request belongs to. */
export const http: readonly Requirement[] = [
  {
    id: 'http/origin-validated',
    ...ALL,
    level: 'MUST',
    clause: 'Origin is checked on every request; a foreign one is refused, an allowed one served.',
    link: `${HTTP}#security-%26-endpoint`,
    tests: [
      'conformance:dns-rebinding-protection',
      'test/e2e/stateless/http.spec.ts#of a request from the origin %s: %i',
      'test/e2e/stateless/http.spec.ts#are checked on %s',
    ],
  },
  {
    id: 'http/origin-refused-403',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'An invalid Origin is answered with 403; an error body, if any, has no id.',
    link: `${HTTP}#security-%26-endpoint`,
    tests: ['test/e2e/stateless/http.spec.ts#of a request from the origin %s: %i'],
  },
  {
    id: 'http/binds-localhost',
    ...ALL,
    level: 'SHOULD',
    clause: 'Run locally, the server listens on the loopback interface only.',
    link: `${HTTP}#security-%26-endpoint`,
    tests: ['test/e2e/stateless/http.spec.ts#listens on the loopback interface unless configured otherwise'],
  },
  {
    id: 'http/one-endpoint',
    ...ALL,
    level: 'MUST',
    clause: 'All messages of all revisions are POSTed to one path.',
    link: `${HTTP}#sending-messages`,
    tests: ['test/e2e/stateless/http.spec.ts#takes %s on its one path, and on no other'],
  },
  {
    id: 'http/notification-202',
    ...ALL,
    level: 'MUST',
    clause: 'An accepted notification is answered with 202 and an empty body.',
    link: `${HTTP}#sending-messages`,
    tests: ['test/e2e/stateless/http.spec.ts#answers a notification with 202 and no body'],
  },
  {
    id: 'http/notification-refused',
    ...ALL,
    level: 'MUST',
    clause: 'A notification that cannot be accepted is answered with an HTTP error status.',
    link: `${HTTP}#sending-messages`,
    tests: ['test/e2e/stateless/http.spec.ts#refuses a notification that %s with an error without id'],
  },
  {
    id: 'http/request-json-or-sse',
    ...ALL,
    level: 'MUST',
    clause: 'A request is answered as application/json or as text/event-stream, and says which in Content-Type.',
    link: `${HTTP}#sending-messages`,
    tests: ['test/e2e/stateless/http.spec.ts#says in Content-Type how it answers %s'],
  },
  {
    id: 'http/concurrent-requests',
    ...ALL,
    level: 'MAY',
    clause: 'Several requests of one client run at once, each answered on its own response.',
    link: `${SESSIONS}#multiple-connections`,
    tests: [
      'conformance:server-sse-multiple-streams',
      'test/e2e/stateless/notifications.spec.ts#keeps the messages of calls that run at once apart',
    ],
  },
];
