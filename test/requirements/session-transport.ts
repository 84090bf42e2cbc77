import { SESSION, SESSION_2025_03_26, SESSION_2025_06_18_ON, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const TRANSPORTS = page('2025-11-25', 'basic/transports');
const BATCHING = page('2025-03-26', 'basic/index');
const MARCH_TRANSPORTS = page('2025-03-26', 'basic/transports');
const MARCH_LIFECYCLE = page('2025-03-26', 'basic/lifecycle');
const JUNE_CHANGELOG = page('2025-06-18', 'changelog');

/** Streamable HTTP of the session revisions: the session id, the version header, bodies, batches. */
export const sessionTransport: readonly Requirement[] = [
  {
    id: 'session/id-visible-ascii',
    ...SESSION,
    level: 'MUST',
    clause: 'A session id consists of visible ASCII characters.',
    link: `${TRANSPORTS}#session-management`,
    tests: [
      'conformance:server-initialize',
      'test/e2e/session/session-identity.spec.ts#is made of visible ASCII and of at least 128 bits, and never the same twice',
    ],
  },
  {
    id: 'session/id-unguessable',
    ...SESSION,
    level: 'SHOULD',
    clause: 'A session id is globally unique and comes from a secure source of randomness.',
    link: `${TRANSPORTS}#session-management`,
    tests: [
      'test/e2e/session/session-identity.spec.ts#is made of visible ASCII and of at least 128 bits, and never the same twice',
    ],
  },
  {
    id: 'session/id-required',
    ...SESSION,
    level: 'SHOULD',
    clause: 'A request without a session id, other than initialize, is answered with 400.',
    link: `${TRANSPORTS}#session-management`,
    tests: ['test/e2e/session/session-identity.spec.ts#is required on %s'],
  },
  {
    id: 'session/terminated-404',
    ...SESSION,
    level: 'MUST',
    clause: 'After its end, a session id is answered with 404.',
    link: `${TRANSPORTS}#session-management`,
    tests: [
      'conformance:server-session-lifecycle',
      'test/e2e/session/session-identity.spec.ts#is answered with 404 on %s once the session was deleted',
      'test/e2e/session/session-identity.spec.ts#is answered with 404 for a notification of a deleted session',
    ],
  },
  {
    id: 'session/terminated-404-every-method',
    ...SESSION,
    level: 'MUST',
    clause: 'GET and DELETE with the id of an ended session are answered with 404 too.',
    link: `${TRANSPORTS}#session-management`,
    tests: ['test/e2e/session/session-identity.spec.ts#is answered with 404 on %s once the session was deleted'],
  },
  {
    id: 'session/expired-404',
    ...SESSION,
    level: 'MUST',
    clause: 'A session that expired for want of use is answered with 404.',
    link: `${TRANSPORTS}#session-management`,
    tests: [
      'test/e2e/session/session-identity.spec.ts#is answered with 404 on %s when nobody used the session for too long',
      'test/e2e/session/session-identity.spec.ts#comes at the latest when the session is as old as a session may get',
    ],
  },
  {
    id: 'session/delete',
    ...SESSION,
    level: 'MAY',
    clause: 'DELETE ends the session, on every replica.',
    link: `${TRANSPORTS}#session-management`,
    tests: [
      'conformance:server-session-lifecycle',
      'test/e2e/session/running-calls.spec.ts#stops the calls of its session, ends their streams, and leaves other sessions alone',
    ],
  },
  {
    id: 'session/get-sse-or-405',
    ...SESSION,
    level: 'MUST',
    clause: 'GET opens an event stream or is answered with 405.',
    link: `${TRANSPORTS}#listening-for-messages-from-the-server`,
    tests: [
      'test/e2e/session/http-rules.spec.ts#opens an event stream for GET',
      'test/e2e/session/http-rules.spec.ts#answers GET with 405 and says what is allowed',
    ],
  },
  {
    id: 'session/response-202',
    ...SESSION,
    level: 'MUST',
    clause: 'A POSTed JSON-RPC response that is accepted is answered with 202 and an empty body.',
    link: `${TRANSPORTS}#sending-messages-to-the-server`,
    tests: ['test/e2e/session/http-rules.spec.ts#is answered with 202 and no body when a request waits for it'],
  },
  {
    id: 'session/response-refused',
    ...SESSION,
    level: 'MUST',
    clause: 'A POSTed JSON-RPC response that cannot be accepted is answered with an HTTP error status.',
    link: `${TRANSPORTS}#sending-messages-to-the-server`,
    tests: [
      'test/e2e/session/http-rules.spec.ts#to a request that was never sent (%j) is refused with 400',
      'test/e2e/session/http-rules.spec.ts#is refused with 400 the second time',
      'test/e2e/session/http-rules.spec.ts#with %s is refused with 400, and the question stays open',
    ],
  },
  {
    id: 'session/version-header-invalid',
    ...SESSION_2025_06_18_ON,
    level: 'MUST',
    clause: 'An MCP-Protocol-Version that is not served is answered with 400.',
    link: `${TRANSPORTS}#protocol-version-header`,
    tests: [
      'test/e2e/session/session-identity.spec.ts#is refused as "%s"',
      'test/e2e/session/session-identity.spec.ts#is refused on %s too, and the session goes on',
    ],
  },
  {
    id: 'session/version-header-absent',
    ...SESSION_2025_06_18_ON,
    level: 'SHOULD',
    clause: 'Without the header, the version that the session negotiated counts.',
    link: `${TRANSPORTS}#protocol-version-header`,
    tests: [
      'test/e2e/session/session-identity.spec.ts#may be left out: the session of revision %s stays what it was negotiated to be',
    ],
  },
  {
    id: 'batching/received',
    ...SESSION_2025_03_26,
    level: 'MUST',
    clause: 'An array of messages is accepted.',
    link: `${BATCHING}#batching`,
    tests: ['test/e2e/session/batches.spec.ts#is answered with one array of JSON, a response for each request'],
  },
  {
    id: 'batching/one-response-each',
    ...SESSION_2025_03_26,
    level: 'SHOULD',
    clause: 'Every request of a batch gets its response; notifications among them get none.',
    link: `${MARCH_TRANSPORTS}#sending-messages-to-the-server`,
    tests: [
      'test/e2e/session/batches.spec.ts#is answered with one array of JSON, a response for each request',
      'test/e2e/session/batches.spec.ts#is answered with one stream when there is something to say, and ends after its last response',
    ],
  },
  {
    id: 'batching/notifications-202',
    ...SESSION_2025_03_26,
    level: 'MUST',
    clause: 'A batch of notifications, or of responses, is answered with 202 and an empty body.',
    link: `${MARCH_TRANSPORTS}#sending-messages-to-the-server`,
    tests: [
      'test/e2e/session/batches.spec.ts#of notifications is answered with 202 and no body',
      'test/e2e/session/batches.spec.ts#of responses is answered with 202 and no body',
    ],
  },
  {
    id: 'batching/no-initialize',
    ...SESSION_2025_03_26,
    level: 'MUST',
    clause: 'initialize inside a batch is refused.',
    link: `${MARCH_LIFECYCLE}#initialization`,
    tests: [
      'test/e2e/session/batches.spec.ts#opens no session',
      'test/e2e/session/batches.spec.ts#refuses initialize inside of it',
    ],
  },
  {
    id: 'batching/empty',
    ...SESSION_2025_03_26,
    level: 'MUST',
    clause: 'An empty batch is an invalid request, -32600.',
    link: `${BATCHING}#batching`,
    tests: ['test/e2e/session/batches.spec.ts#is refused when it is empty'],
  },
  {
    id: 'batching/removed',
    ...SESSION_2025_06_18_ON,
    level: 'MUST',
    clause: 'Sessions of later revisions send one message a body; an array is refused.',
    link: `${JUNE_CHANGELOG}#major-changes`,
    tests: [
      'test/e2e/session/batches.spec.ts#of %s is refused',
      'test/e2e/session/batches.spec.ts#is refused even if its version header names a revision that had them',
    ],
  },
];
