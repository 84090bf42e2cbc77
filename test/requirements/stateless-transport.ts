import { STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const HTTP = page('2026-07-28', 'basic/transports/streamable-http');
const CANCELLATION = page('2026-07-28', 'basic/patterns/cancellation');

/** Streamable HTTP of 2026-07-28: bodies, response streams, cancellation, leftovers of earlier revisions. */
export const statelessTransport: readonly Requirement[] = [
  {
    id: 'stateless/no-batches',
    ...STATELESS,
    level: 'MUST',
    clause: 'A body with an array of messages is refused.',
    link: `${HTTP}#sending-messages`,
    tests: ['test/e2e/stateless/http.spec.ts#refuses an array of messages'],
  },
  {
    id: 'stateless/no-client-responses',
    ...STATELESS,
    level: 'MUST',
    clause: 'A body with a JSON-RPC response is refused with an HTTP error status.',
    link: `${HTTP}#sending-messages`,
    tests: ['test/e2e/stateless/http.spec.ts#refuses a response with %j'],
  },
  {
    id: 'stateless/method-not-found-404',
    ...STATELESS,
    level: 'MUST',
    clause: 'An unknown method is answered with status 404 and -32601.',
    link: `${HTTP}#protocol-version-header`,
    tests: ['conformance:server-stateless', 'test/e2e/stateless/envelope.spec.ts#puts the request id %j on an error'],
  },
  {
    id: 'stateless/no-requests-on-streams',
    ...STATELESS,
    level: 'MUST',
    clause: 'A response stream carries notifications and one response, never a JSON-RPC request.',
    link: `${HTTP}#receiving-messages`,
    tests: [
      'conformance:server-stateless',
      'conformance:tools-call-with-progress',
      'test/e2e/stateless/mrtr-questions.spec.ts#asks on a stream by its last message too, never by a request',
    ],
  },
  {
    id: 'stateless/own-notifications-only',
    ...STATELESS,
    level: 'MUST',
    clause: 'Notifications on a response stream belong to its request, even while others run.',
    link: `${HTTP}#receiving-messages`,
    tests: ['test/e2e/stateless/notifications.spec.ts#keeps the messages of calls that run at once apart'],
  },
  {
    id: 'stateless/response-ends-stream',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'The response is the last message on its stream, which then ends.',
    link: `${HTTP}#receiving-messages`,
    tests: [
      'test/e2e/stateless/notifications.spec.ts#names the progress token %j, and ends with the response',
      'test/e2e/stateless/streaming.spec.ts#is a stream once the call takes longer than streamAfterMs',
    ],
  },
  {
    id: 'stateless/no-proxy-buffering',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'A stream is opened with X-Accel-Buffering: no.',
    link: `${HTTP}#receiving-messages`,
    tests: [
      'test/e2e/stateless/streaming.spec.ts#is a stream from the first emission on, which proxies neither buffer nor keep',
    ],
  },
  {
    id: 'stateless/keep-alive-comments',
    ...STATELESS,
    level: 'MAY',
    clause: 'A quiet subscription stream is kept open by SSE comments.',
    link: `${HTTP}#receiving-messages`,
    tests: ['test/e2e/stateless/streaming.spec.ts#keeps a quiet stream of %s alive by comments'],
  },
  {
    id: 'stateless/no-call-notifications-on-listen',
    ...STATELESS,
    level: 'MUST',
    clause: 'Progress and log messages of a call never appear on a subscription stream.',
    link: `${HTTP}#receiving-messages`,
    tests: ['test/e2e/stateless/notifications.spec.ts#puts progress and log messages of a call on no subscription'],
  },
  {
    id: 'stateless/disconnect-cancels',
    ...STATELESS,
    level: 'MUST',
    clause: 'A client that closes the response stream has cancelled that request.',
    link: `${CANCELLATION}#transport-specific-cancellation`,
    tests: ['test/e2e/stateless/cancellation.spec.ts#aborts the signal of the call, and its finally runs: %s'],
  },
  {
    id: 'stateless/cancelled-work-stops',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'Work for a cancelled request stops: its signal aborts.',
    link: `${HTTP}#cancellation`,
    tests: ['test/e2e/stateless/cancellation.spec.ts#aborts the signal of the call, and its finally runs: %s'],
  },
  {
    id: 'stateless/cancelled-request-silent',
    ...STATELESS,
    level: 'MUST',
    clause: 'Nothing more is sent for a cancelled request.',
    link: `${HTTP}#cancellation`,
    tests: [
      'test/e2e/stateless/cancellation.spec.ts#does no harm to a handler that goes on, of which nothing more is sent',
    ],
  },
  {
    id: 'stateless/session-id-ignored',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'A session id on a stateless request is ignored; none is minted or echoed.',
    link: `${HTTP}#earlier-streamable-http-revisions`,
    tests: ['test/e2e/stateless/statelessness.spec.ts#ignores a session id and mints none'],
  },
  {
    id: 'stateless/last-event-id-ignored',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'Last-Event-ID on a stateless request is ignored; its events carry no ids.',
    link: `${HTTP}#earlier-streamable-http-revisions`,
    tests: ['test/e2e/stateless/statelessness.spec.ts#ignores Last-Event-ID and gives its events no ids'],
  },
];
