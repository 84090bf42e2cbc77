import { ALL, ALL_2025_06_18_ON, STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const BASE = page('2026-07-28', 'basic/index');
const TRANSPORTS = page('2026-07-28', 'basic/transports');

/** JSON-RPC messages, error codes, `_meta`, statelessness. */
export const base: readonly Requirement[] = [
  {
    id: 'base/utf-8',
    ...ALL,
    level: 'MUST',
    clause: 'Messages are UTF-8 in both directions: text outside ASCII arrives unchanged.',
    link: `${TRANSPORTS}#messages`,
    tests: ['test/e2e/stateless/envelope.spec.ts#carries text outside ASCII unchanged in both directions'],
  },
  {
    id: 'base/result-echoes-id',
    ...ALL,
    level: 'MUST',
    clause: 'A result carries the id of its request, string or integer, unchanged.',
    link: `${BASE}#result-responses`,
    tests: ['test/e2e/stateless/envelope.spec.ts#puts the request id %j on the result'],
  },
  {
    id: 'base/error-echoes-id',
    ...ALL,
    level: 'MUST',
    clause: 'An error carries the id of its request.',
    link: `${BASE}#error-responses`,
    tests: ['conformance:server-stateless', 'test/e2e/stateless/envelope.spec.ts#puts the request id %j on an error'],
  },
  {
    id: 'base/error-without-readable-id',
    ...ALL,
    level: 'MUST',
    clause: 'An error about a message whose id cannot be read makes up no id.',
    link: `${BASE}#error-responses`,
    tests: ['test/e2e/stateless/envelope.spec.ts#makes up no id for an error about %s'],
  },
  {
    id: 'base/error-shape',
    ...ALL,
    level: 'MUST',
    clause: 'An error has an integer code and a message.',
    link: `${BASE}#error-responses`,
    tests: [
      'conformance:sep-2164-resource-not-found',
      'test/e2e/stateless/envelope.spec.ts#hides why a handler failed behind -32603 and a reference',
    ],
  },
  {
    id: 'base/null-id-refused',
    ...ALL,
    level: 'MUST',
    clause: 'A request with a null id is refused as invalid, not run and not taken for a notification.',
    link: `${BASE}#requests`,
    tests: ['test/e2e/stateless/envelope.spec.ts#refuses a request with a null id and does not run it'],
  },
  {
    id: 'base/notification-unanswered',
    ...ALL,
    level: 'MUST',
    clause: 'A notification, of a known or unknown method, gets no JSON-RPC response.',
    link: `${BASE}#notifications`,
    tests: ['test/e2e/stateless/envelope.spec.ts#answers a notification %s with nothing and runs nothing'],
  },
  {
    id: 'base/parse-error',
    ...ALL,
    level: 'MUST',
    clause: 'A body that is not JSON is answered with -32700.',
    link: `${BASE}#error-codes`,
    tests: ['test/e2e/stateless/envelope.spec.ts#answers the body %j with a parse error'],
  },
  {
    id: 'base/invalid-request',
    ...ALL,
    level: 'MUST',
    clause: 'JSON that is not a JSON-RPC 2.0 message is answered with -32600.',
    link: `${BASE}#error-codes`,
    tests: ['test/e2e/stateless/envelope.spec.ts#answers what is JSON but no JSON-RPC request with -32600: case %#'],
  },
  {
    id: 'base/result-type',
    ...STATELESS,
    level: 'MUST',
    clause: 'Every result has a resultType; a finished one says complete.',
    link: `${BASE}#resulttype`,
    tests: [
      'conformance:tools-list',
      'conformance:tools-call-simple-text',
      'conformance:prompts-get-simple',
      'conformance:resources-read-text',
      'conformance:completion-complete',
      'test/e2e/stateless/envelope.spec.ts#marks the result of %s as complete and names the server',
    ],
  },
  {
    id: 'base/no-undefined-protocol-codes',
    ...STATELESS,
    level: 'MUST',
    clause: 'Of the codes -32020 to -32099 only those that the specification defines are sent, in their meaning.',
    link: `${BASE}#error-codes`,
    tests: [
      'test/e2e/stateless/envelope.spec.ts#answers %s with a code of the specification or one outside the reserved range',
    ],
  },
  {
    id: 'base/no-retired-codes',
    ...STATELESS,
    level: 'MUST',
    clause: 'The retired codes -32002 and -32042 are not sent.',
    link: `${BASE}#error-codes`,
    tests: [
      'test/e2e/stateless/envelope.spec.ts#answers an unknown resource with -32602, not with the retired -32002',
      'test/e2e/stateless/mrtr-questions.spec.ts#sends the user to a URL in an input_required result, not with the retired -32042',
    ],
  },
  {
    id: 'base/no-legacy-codes',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'No code from -32000 to -32019 is used.',
    link: `${BASE}#error-codes`,
    tests: [
      'test/e2e/stateless/envelope.spec.ts#answers %s with a code of the specification or one outside the reserved range',
    ],
  },
  {
    id: 'base/application-codes-outside-reserved-range',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'Errors of our own use codes outside -32768 to -32000.',
    link: `${BASE}#error-codes`,
    tests: [
      'test/e2e/stateless/envelope.spec.ts#answers %s with a code of the specification or one outside the reserved range',
    ],
  },
  {
    id: 'base/no-context-from-earlier-requests',
    ...STATELESS,
    level: 'MUST',
    clause: 'Version, capabilities and client identity come from the request alone, never from one before it.',
    link: `${BASE}#statelessness`,
    tests: [
      'test/e2e/stateless/statelessness.spec.ts#takes client and capabilities from the request itself, not from one before it on the same connection',
    ],
  },
  {
    id: 'base/no-connection-affinity',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'Related requests may arrive on different connections and replicas.',
    link: `${BASE}#statelessness`,
    tests: ['test/e2e/stateless/statelessness.spec.ts#finishes on one replica what another has begun'],
  },
  {
    id: 'base/meta-missing',
    ...STATELESS,
    level: 'MUST',
    clause: 'A request without _meta is refused with -32602 and, over HTTP, status 400.',
    link: `${BASE}#meta`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/envelope.spec.ts#refuses a request with %s as malformed',
    ],
  },
  {
    id: 'base/meta-without-protocol-version',
    ...STATELESS,
    level: 'MUST',
    clause: 'A request whose _meta names no protocol version is refused with -32602 and status 400.',
    link: `${BASE}#meta`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/envelope.spec.ts#refuses a request with %s as malformed',
    ],
  },
  {
    id: 'base/meta-without-client-capabilities',
    ...STATELESS,
    level: 'MUST',
    clause: 'A request whose _meta declares no client capabilities is refused with -32602 and status 400.',
    link: `${BASE}#meta`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/envelope.spec.ts#refuses a request with %s as malformed',
    ],
  },
  {
    id: 'base/client-info-optional',
    ...STATELESS,
    level: 'MUST',
    clause: 'A request whose _meta leaves out clientInfo is served.',
    link: `${BASE}#meta`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/envelope.spec.ts#serves a client that does not say its name',
    ],
  },
  {
    id: 'base/missing-client-capability',
    ...STATELESS,
    level: 'MUST',
    clause:
      'A request that needs a capability the client did not declare fails with -32021, naming it in requiredCapabilities.',
    link: `${BASE}#meta`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/mrtr-questions.spec.ts#refuses %s to a client that declares %j, naming what is missing',
    ],
  },
  {
    id: 'base/missing-client-capability-400',
    ...STATELESS,
    level: 'MUST',
    clause: 'Over HTTP, -32021 comes with status 400.',
    link: `${BASE}#meta`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/mrtr-questions.spec.ts#refuses %s to a client that declares %j, naming what is missing',
    ],
  },
  {
    id: 'base/server-info-in-results',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'Every result names the server in its _meta, unless configured not to.',
    link: `${BASE}#meta`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/envelope.spec.ts#marks the result of %s as complete and names the server',
    ],
  },
  {
    id: 'base/client-info-changes-nothing',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'What a client calls itself changes neither behaviour nor access.',
    link: `${BASE}#meta`,
    tests: ['test/e2e/stateless/envelope.spec.ts#serves every client alike, whatever it calls itself'],
  },
  {
    id: 'base/foreign-meta-tolerated',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'Keys in _meta that the server does not know, reserved prefixes included, do no harm.',
    link: `${BASE}#meta`,
    tests: [
      'test/e2e/stateless/envelope.spec.ts#tolerates keys in _meta that it does not know and hands them to the handler',
    ],
  },
  {
    id: 'base/trace-context',
    ...STATELESS,
    level: 'MAY',
    clause: 'traceparent, tracestate and baggage in _meta reach the handler as the trace context.',
    link: `${BASE}#meta`,
    tests: [
      'test/e2e/stateless/envelope.spec.ts#hands the trace context in _meta to the handler, before the one in the headers',
    ],
  },
];
