import { ALL, SESSION, STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const STDIO = page('2026-07-28', 'basic/transports/stdio');
const LIFECYCLE = page('2025-11-25', 'basic/lifecycle');
const SUBSCRIPTIONS = page('2026-07-28', 'basic/patterns/subscriptions');
const CANCELLATION = page('2026-07-28', 'basic/patterns/cancellation');
const BASE = page('2026-07-28', 'basic/index');
const SESSION_TRANSPORTS = page('2025-11-25', 'basic/transports');

/** The stdio transport. */
export const stdio: readonly Requirement[] = [
  {
    id: 'stdio/one-message-a-line',
    ...ALL,
    level: 'MUST',
    clause: 'Each message is one line; newlines inside values are escaped.',
    link: `${SESSION_TRANSPORTS}#stdio`,
    tests: ['test/e2e/stdio/framing.spec.ts#writes each message on one line, whatever its values hold'],
  },
  {
    id: 'stdio/stdout-is-for-messages',
    ...ALL,
    level: 'MUST',
    clause: 'Nothing but messages reaches stdout, also when a handler writes to the console.',
    link: `${SESSION_TRANSPORTS}#stdio`,
    tests: [
      'test/e2e/stdio/process.spec.ts#writes nothing but messages to stdout, whatever is printed',
      'test/e2e/stdio/sdk-clients.spec.ts#lists, reads, and calls, undisturbed by what tools print',
    ],
  },
  {
    id: 'stdio/concurrent-requests',
    ...ALL,
    level: 'MUST',
    clause: 'Requests run at once; their responses are told apart by id.',
    link: `${STDIO}#receiving-messages`,
    tests: [
      'test/e2e/stdio/stateless.spec.ts#runs requests at once and answers each under its id',
      'test/e2e/stdio/stateless.spec.ts#refuses an id that is in use by a running request',
    ],
  },
  {
    id: 'stdio/no-server-requests',
    ...STATELESS,
    level: 'MUST',
    clause: 'No JSON-RPC request is written to a stateless client; questions are input_required results.',
    link: `${STDIO}#receiving-messages`,
    tests: ['test/e2e/stdio/stateless.spec.ts#asks its questions in results, never by requests'],
  },
  {
    id: 'stdio/meta-required',
    ...STATELESS,
    level: 'MUST',
    clause: 'A stateless request without its _meta fields is refused with -32602.',
    link: `${BASE}#meta`,
    tests: ['test/e2e/stdio/stateless.spec.ts#refuses a request with %s with -32602'],
  },
  {
    id: 'stdio/discover-as-probe',
    ...STATELESS,
    level: 'MUST',
    clause: 'server/discover as the first message is answered, with -32022 if its version is not served.',
    link: `${STDIO}#backward-compatibility`,
    tests: [
      'test/e2e/stdio/stateless.spec.ts#answers server/discover as the first message',
      'test/e2e/stdio/stateless.spec.ts#refuses a revision that is not served and names those that are',
    ],
  },
  {
    id: 'stdio/initialize-opens-session-era',
    ...SESSION,
    level: 'MUST',
    clause: 'initialize as the first message has the process serve the negotiated session revision.',
    link: `${LIFECYCLE}#initialization`,
    tests: ['test/e2e/stdio/session.spec.ts#opens a session of revision %s by initialize'],
  },
  {
    id: 'stdio/cancelled-request-silent',
    ...STATELESS,
    level: 'MUST',
    clause: 'notifications/cancelled stops a request, and nothing more is written for it.',
    link: `${STDIO}#cancellation`,
    tests: [
      'test/e2e/stdio/stateless.spec.ts#stops a cancelled request and writes nothing more for it',
      'test/e2e/stdio/stateless.spec.ts#stops a request that is cancelled along with it, and ignores cancellations of nothing',
    ],
  },
  {
    id: 'stdio/subscription-acknowledged-first',
    ...STATELESS,
    level: 'MUST',
    clause: 'Of each subscription, the acknowledgement is written first, whatever others write in between.',
    link: `${SUBSCRIPTIONS}#acknowledgment`,
    tests: ['test/e2e/stdio/stateless.spec.ts#acknowledges each subscription before it writes its changes'],
  },
  {
    id: 'stdio/subscription-cancelled-by-client',
    ...STATELESS,
    level: 'MUST',
    clause: 'notifications/cancelled of a listen request ends that subscription alone.',
    link: `${SUBSCRIPTIONS}#cancellation`,
    tests: ['test/e2e/stdio/stateless.spec.ts#ends the one subscription that the client cancels'],
  },
  {
    id: 'stdio/subscription-ended-by-server',
    ...STATELESS,
    level: 'MUST',
    clause: 'A subscription that the server ends is told so by notifications/cancelled with its id.',
    link: `${CANCELLATION}#behavior-requirements`,
    tests: [
      'test/e2e/stdio/stateless.spec.ts#answers each subscription and cancels it by its id when the server stops',
      'test/e2e/stdio/process.spec.ts#exits with 0 on %s',
    ],
  },
  {
    id: 'stdio/exits-with-stdin',
    ...ALL,
    level: 'SHOULD',
    clause: 'The process exits promptly when its standard input closes.',
    link: `${STDIO}#shutdown`,
    tests: [
      'test/e2e/stdio/process.spec.ts#serves the platform and exits when its input ends',
      'test/e2e/stdio/process.spec.ts#cancels what runs and exits at once when its input ends',
    ],
  },
  {
    id: 'stdio/logs-to-stderr',
    ...ALL,
    level: 'MAY',
    clause: 'The log of the server goes to stderr.',
    link: `${SESSION_TRANSPORTS}#stdio`,
    tests: ['test/e2e/stdio/process.spec.ts#writes the log of the server to stderr'],
  },
];
