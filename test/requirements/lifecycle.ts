import { SESSION, SESSION_2025_06_18_ON, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const LIFECYCLE = page('2025-11-25', 'basic/lifecycle');
const PING = page('2025-11-25', 'basic/utilities/ping');

/** The handshake of the session revisions. */
export const lifecycle: readonly Requirement[] = [
  {
    id: 'lifecycle/initialize',
    ...SESSION,
    level: 'MUST',
    clause: 'initialize returns the protocol version, the capabilities and the name and version of the server.',
    link: `${LIFECYCLE}#initialization`,
    tests: ['conformance:server-initialize', 'test/e2e/session/handshake.spec.ts#answers revision %s with itself'],
  },
  {
    id: 'lifecycle/same-version',
    ...SESSION,
    level: 'MUST',
    clause: 'A requested session revision that is served is answered with itself.',
    link: `${LIFECYCLE}#version-negotiation`,
    tests: ['test/e2e/session/handshake.spec.ts#answers revision %s with itself'],
  },
  {
    id: 'lifecycle/other-version',
    ...SESSION,
    level: 'MUST',
    clause: 'Any other requested version is answered with a session revision that is served.',
    link: `${LIFECYCLE}#version-negotiation`,
    tests: ['test/e2e/session/handshake.spec.ts#offers the latest session revision to a client that asks for "%s"'],
  },
  {
    id: 'lifecycle/other-version-latest',
    ...SESSION,
    level: 'SHOULD',
    clause: 'The version offered instead is the latest session revision.',
    link: `${LIFECYCLE}#version-negotiation`,
    tests: ['test/e2e/session/handshake.spec.ts#offers the latest session revision to a client that asks for "%s"'],
  },
  {
    id: 'lifecycle/instructions',
    ...SESSION,
    level: 'MAY',
    clause: 'The result of initialize carries the instructions that the server is configured with.',
    link: `${LIFECYCLE}#initialization`,
    tests: ['test/e2e/session/handshake.spec.ts#carries the instructions and the description of the server'],
  },
  {
    id: 'lifecycle/quiet-until-initialized',
    ...SESSION,
    level: 'SHOULD',
    clause: 'Before notifications/initialized the server sends no requests but ping.',
    link: `${LIFECYCLE}#initialization`,
    tests: [],
  },
  {
    id: 'lifecycle/negotiated-version',
    ...SESSION_2025_06_18_ON,
    level: 'MUST',
    clause: 'A session is served by the revision it negotiated: features of later ones stay away from it.',
    link: `${LIFECYCLE}#operation`,
    tests: [
      'test/e2e/session/answers.spec.ts#has no event without data when it answers a request',
      'test/e2e/session/elicitation.spec.ts#is not sent to a 2025-06-18 client, whatever it declares',
      'test/e2e/session/elicitation.spec.ts#of 2025-06-18 is asked for without a mode, which that revision does not know',
      'test/e2e/session/revisions.spec.ts#are an error of the protocol in a %s session',
      'test/e2e/session/revisions.spec.ts#stays away from the results of a %s session',
    ],
  },
  {
    id: 'lifecycle/negotiated-capabilities',
    ...SESSION_2025_06_18_ON,
    level: 'MUST',
    clause: 'A session is never sent a request for a capability that its client did not declare.',
    link: `${LIFECYCLE}#operation`,
    tests: [
      'test/e2e/session/handshake.spec.ts#is not asked for %s when its client has not declared %s: %j',
      'test/e2e/session/elicitation.spec.ts#is not sent to a 2025-03-26 client, whatever it declares',
    ],
  },
  {
    id: 'lifecycle/method-not-found',
    ...SESSION,
    level: 'MUST',
    clause: 'An unknown method, or one of a capability that the server does not have, is -32601.',
    link: `${LIFECYCLE}#capability-negotiation`,
    tests: ['test/e2e/session/handshake.spec.ts#answers the unknown method %s with -32601'],
  },
  {
    id: 'lifecycle/ping',
    ...SESSION,
    level: 'MUST',
    clause: 'ping is answered at once with an empty result.',
    link: `${PING}#behavior-requirements`,
    tests: ['conformance:ping', 'test/e2e/session/handshake.spec.ts#of revision %s answers ping with an empty result'],
  },
  {
    id: 'lifecycle/ping-before-initialized',
    ...SESSION,
    level: 'MAY',
    clause: 'ping is answered before notifications/initialized too.',
    link: `${LIFECYCLE}#initialization`,
    tests: ['test/e2e/session/handshake.spec.ts#answers ping before notifications/initialized'],
  },
];
