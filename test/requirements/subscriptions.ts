import { STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const SUBSCRIPTIONS = page('2026-07-28', 'basic/patterns/subscriptions');
const TOOLS = page('2026-07-28', 'server/tools');
const PROMPTS = page('2026-07-28', 'server/prompts');
const RESOURCES = page('2026-07-28', 'server/resources');

/** `subscriptions/listen` */
export const subscriptions: readonly Requirement[] = [
  {
    id: 'subscriptions/acknowledged-first',
    ...STATELESS,
    level: 'MUST',
    clause: 'The first message on a subscription is notifications/subscriptions/acknowledged.',
    link: `${SUBSCRIPTIONS}#acknowledgment`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/subscriptions.spec.ts#acknowledges first, under the request id %j',
    ],
  },
  {
    id: 'subscriptions/acknowledged-subset',
    ...STATELESS,
    level: 'MUST',
    clause: 'The acknowledgement lists what will be delivered and leaves out what the server does not support.',
    link: `${SUBSCRIPTIONS}#acknowledgment`,
    tests: [
      'test/e2e/stateless/subscriptions.spec.ts#acknowledges what it delivers and leaves out what it does not know or was not asked for',
    ],
  },
  {
    id: 'subscriptions/subscription-id',
    ...STATELESS,
    level: 'MUST',
    clause: 'Every notification of a subscription carries its subscription id in _meta.',
    link: `${SUBSCRIPTIONS}#receiving-notifications`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/subscriptions.spec.ts#tells of a changed list of %s under its id',
    ],
  },
  {
    id: 'subscriptions/subscription-id-is-request-id',
    ...STATELESS,
    level: 'MUST',
    clause: 'The subscription id is the JSON-RPC id of the listen request, type included.',
    link: `${SUBSCRIPTIONS}#receiving-notifications`,
    tests: [
      'test/e2e/stateless/subscriptions.spec.ts#acknowledges first, under the request id %j',
      'test/e2e/stateless/subscriptions.spec.ts#holds several subscriptions of a client, each with its id and filter',
    ],
  },
  {
    id: 'subscriptions/requested-types-only',
    ...STATELESS,
    level: 'MUST',
    clause: 'Nothing is delivered that the filter did not ask for.',
    link: `${SUBSCRIPTIONS}#opening-a-stream`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/subscriptions.spec.ts#delivers nothing that was not asked for',
    ],
  },
  {
    id: 'subscriptions/tools-list-changed',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'A change of the tools reaches the subscriptions that asked for it.',
    link: `${TOOLS}#list-changed-notification`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/subscriptions.spec.ts#tells of a changed list of %s under its id',
      'test/e2e/stateless/subscriptions.spec.ts#tells of the removal of a tool too',
    ],
  },
  {
    id: 'subscriptions/prompts-list-changed',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'A change of the prompts reaches the subscriptions that asked for it.',
    link: `${PROMPTS}#list-changed-notification`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/subscriptions.spec.ts#tells of a changed list of %s under its id',
    ],
  },
  {
    id: 'subscriptions/resources-list-changed',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'A change of the resources reaches the subscriptions that asked for it.',
    link: `${RESOURCES}#list-changed-notification`,
    tests: ['test/e2e/stateless/subscriptions.spec.ts#tells of a changed list of %s under its id'],
  },
  {
    id: 'subscriptions/resource-updated',
    ...STATELESS,
    level: 'MUST',
    clause: 'An update of a resource reaches the subscriptions that name its URI, and no others.',
    link: `${RESOURCES}#subscriptions`,
    tests: [
      'test/e2e/stateless/subscriptions.spec.ts#tells of the resources it names when they are updated, and of no others',
    ],
  },
  {
    id: 'subscriptions/concurrent',
    ...STATELESS,
    level: 'MAY',
    clause: 'A client holds several subscriptions at once, each with its own id and filter.',
    link: `${SUBSCRIPTIONS}#multiple-concurrent-subscriptions`,
    tests: [
      'test/e2e/stateless/subscriptions.spec.ts#holds several subscriptions of a client, each with its id and filter',
    ],
  },
  {
    id: 'subscriptions/client-close',
    ...STATELESS,
    level: 'MUST',
    clause: 'Closing the stream ends the subscription and frees what it held.',
    link: `${SUBSCRIPTIONS}#cancellation`,
    tests: ['test/e2e/stateless/subscriptions.spec.ts#frees the place of a subscription that its client closes'],
  },
  {
    id: 'subscriptions/graceful-closure',
    ...STATELESS,
    level: 'SHOULD',
    clause:
      'A subscription that the server ends, as on shutdown, gets a complete result with its subscription id first.',
    link: `${SUBSCRIPTIONS}#graceful-closure`,
    tests: [
      'test/e2e/stateless/subscriptions.spec.ts#ends with a complete result under its id %j when the server stops',
    ],
  },
  {
    id: 'subscriptions/no-state-across-reconnects',
    ...STATELESS,
    level: 'MUST',
    clause: 'A new listen request starts afresh; nothing of an earlier one carries over.',
    link: `${SUBSCRIPTIONS}#graceful-closure`,
    tests: [
      'test/e2e/stateless/subscriptions.spec.ts#starts afresh: what changed while nobody listened is not delivered',
    ],
  },
];
