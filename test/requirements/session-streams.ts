import { SESSION, SESSION_2025_11_25, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const TRANSPORTS = page('2025-11-25', 'basic/transports');

/** Event streams of the session revisions: delivery, polling, resumption. */
export const sessionStreams: readonly Requirement[] = [
  {
    id: 'streams/priming-event',
    ...SESSION_2025_11_25,
    level: 'SHOULD',
    clause: 'A stream opens with an event that has an id and no data.',
    link: `${TRANSPORTS}#sending-messages-to-the-server`,
    tests: [
      'conformance:server-sse-polling',
      'test/e2e/session/answers.spec.ts#that answers a request opens with an event id, no data, and when to come back',
      'test/e2e/session/answers.spec.ts#that GET opens begins in the same way',
    ],
  },
  {
    id: 'streams/release-connection',
    ...SESSION_2025_11_25,
    level: 'MAY',
    clause: 'The server closes the connection of a running request; the client polls for the rest.',
    link: `${TRANSPORTS}#sending-messages-to-the-server`,
    tests: [
      'conformance:server-sse-polling',
      'test/e2e/session/answers.spec.ts#ends the response, and the client polls for the rest',
    ],
  },
  {
    id: 'streams/retry-before-release',
    ...SESSION_2025_11_25,
    level: 'SHOULD',
    clause: 'Before it closes a connection early, the server says with retry when to come back.',
    link: `${TRANSPORTS}#sending-messages-to-the-server`,
    tests: [
      'conformance:server-sse-polling',
      'test/e2e/session/answers.spec.ts#primes the client even if it had nothing to say',
      'test/e2e/session/changes.spec.ts#says when to come back before the server stops',
    ],
  },
  {
    id: 'streams/response-eventually',
    ...SESSION,
    level: 'SHOULD',
    clause: 'A stream opened for a request carries its response in the end, an error if the work was lost.',
    link: `${TRANSPORTS}#sending-messages-to-the-server`,
    tests: [
      'test/e2e/session/answers.spec.ts#of a %s session is a stream when there is, and ends after its response',
      'test/e2e/session/resumption.spec.ts#is told as an error of the request whose answer is incomplete',
    ],
  },
  {
    id: 'streams/end-after-response',
    ...SESSION,
    level: 'SHOULD',
    clause: 'The stream of a request ends after its response.',
    link: `${TRANSPORTS}#sending-messages-to-the-server`,
    tests: ['test/e2e/session/answers.spec.ts#of a %s session is a stream when there is, and ends after its response'],
  },
  {
    id: 'streams/requests-to-the-client',
    ...SESSION,
    level: 'MAY',
    clause: 'A running request asks its client on its own stream.',
    link: `${TRANSPORTS}#sending-messages-to-the-server`,
    tests: [
      'conformance:tools-call-sampling',
      'conformance:tools-call-elicitation',
      'test/e2e/session/elicitation.spec.ts#of one call may be open at once and be answered in any order',
    ],
  },
  {
    id: 'streams/related-messages',
    ...SESSION,
    level: 'SHOULD',
    clause: 'The stream of a request carries only what belongs to that request.',
    link: `${TRANSPORTS}#sending-messages-to-the-server`,
    tests: ['test/e2e/session/answers.spec.ts#carries nothing that belongs to another request or to no request'],
  },
  {
    id: 'streams/unrelated-messages-on-get',
    ...SESSION,
    level: 'SHOULD',
    clause: 'The GET stream carries what belongs to no running request, such as list changes and resource updates.',
    link: `${TRANSPORTS}#listening-for-messages-from-the-server`,
    tests: [
      'test/e2e/session/changes.spec.ts#tells of lists that change, as they change',
      'test/e2e/session/changes.spec.ts#tells of updates of the resources that the session subscribed to, and of no other',
    ],
  },
  {
    id: 'streams/no-responses-on-get',
    ...SESSION,
    level: 'MUST',
    clause: 'A GET stream that resumes nothing carries no responses.',
    link: `${TRANSPORTS}#listening-for-messages-from-the-server`,
    tests: ['test/e2e/session/changes.spec.ts#carries no response and no message of a running request'],
  },
  {
    id: 'streams/disconnect-does-not-cancel',
    ...SESSION,
    level: 'SHOULD',
    clause: 'A request goes on when its connection drops.',
    link: `${TRANSPORTS}#sending-messages-to-the-server`,
    tests: [
      'test/e2e/session/running-calls.spec.ts#does not cancel a request that streams',
      'test/e2e/session/running-calls.spec.ts#does not cancel a request that has said nothing yet',
    ],
  },
  {
    id: 'streams/no-broadcast',
    ...SESSION,
    level: 'MUST',
    clause: 'A message is sent on one stream of the session only.',
    link: `${TRANSPORTS}#multiple-connections`,
    tests: [
      'test/e2e/session/changes.spec.ts#takes the stream over: the first ends, and a message goes to one of them',
      'test/e2e/session/changes.spec.ts#does not repeat what the first was sent',
      'test/e2e/session/resumption.spec.ts#belongs to one connection: who resumes it ends the one before, and nothing is sent twice',
    ],
  },
  {
    id: 'streams/event-ids-unique',
    ...SESSION,
    level: 'MUST',
    clause: 'Event ids are unique across all streams of a session.',
    link: `${TRANSPORTS}#resumability-and-redelivery`,
    tests: [
      'test/e2e/session/resumption.spec.ts#are unique across the streams of a session',
      'test/e2e/session/changes.spec.ts#uses no event id that was used before',
    ],
  },
  {
    id: 'streams/event-ids-name-their-stream',
    ...SESSION_2025_11_25,
    level: 'SHOULD',
    clause: 'An event id leads back to its stream.',
    link: `${TRANSPORTS}#resumability-and-redelivery`,
    tests: [
      'test/e2e/session/resumption.spec.ts#replays nothing of the other streams of its session',
      'test/e2e/session/resumption.spec.ts#of one session mean nothing in another',
    ],
  },
  {
    id: 'streams/resumed',
    ...SESSION,
    level: 'MAY',
    clause: 'GET with Last-Event-ID delivers what followed that event, then goes on live.',
    link: `${TRANSPORTS}#resumability-and-redelivery`,
    tests: [
      'conformance:server-sse-polling',
      'test/e2e/session/resumption.spec.ts#after %i messages goes on where it was when the call has ended meanwhile',
      'test/e2e/session/resumption.spec.ts#after %i messages goes on live when the call has not ended yet',
      'test/e2e/session/resumption.spec.ts#after %i of 400 events comes back whole and in order',
    ],
  },
  {
    id: 'streams/resumed-own-messages-only',
    ...SESSION,
    level: 'MUST',
    clause: 'A resumed stream replays no message of another stream.',
    link: `${TRANSPORTS}#resumability-and-redelivery`,
    tests: ['test/e2e/session/resumption.spec.ts#replays nothing of the other streams of its session'],
  },
  {
    id: 'streams/resumed-get-stream',
    ...SESSION_2025_11_25,
    level: 'MAY',
    clause: 'The GET stream is resumed in the same way as the stream of a request.',
    link: `${TRANSPORTS}#resumability-and-redelivery`,
    tests: ['test/e2e/session/changes.spec.ts#that names its last event is told of everything after it'],
  },
];
