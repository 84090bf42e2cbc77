import {
  ALL,
  ALL_2025_06_18_ON,
  ALL_2025_11_25_ON,
  SESSION,
  SESSION_2025_06_18_ON,
  SESSION_2025_11_25,
  page,
} from './requirement.js';
import type { Requirement } from './requirement.js';

const ELICITATION = page('2026-07-28', 'client/elicitation');
const SESSION_ELICITATION = page('2025-11-25', 'client/elicitation');
const SAMPLING = page('2026-07-28', 'client/sampling');
const SESSION_SAMPLING = page('2025-11-25', 'client/sampling');
const ROOTS = page('2026-07-28', 'client/roots');
const SESSION_ROOTS = page('2025-11-25', 'client/roots');

/** What elicitation, sampling and roots ask of the server that uses them. */
export const clientFeatures: readonly Requirement[] = [
  {
    id: 'elicitation/form-fields',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'A form is asked for with a message and a requestedSchema; mode is form or left out.',
    link: `${ELICITATION}#form-mode-elicitation-requests`,
    tests: [
      'conformance:tools-call-elicitation',
      'conformance:input-required-result-basic-elicitation',
      'test/e2e/session/elicitation.spec.ts#of 2025-11-25 is asked for with mode, message and a flat schema, and its answer reaches the tool',
    ],
  },
  {
    id: 'elicitation/form-schema-flat',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'The schema of a form is a flat object of primitive and enum properties; any other is refused unsent.',
    link: `${ELICITATION}#requested-schema`,
    tests: ['test/e2e/session/elicitation.spec.ts#whose schema is not flat is never sent'],
  },
  {
    id: 'elicitation/defaults',
    ...ALL_2025_11_25_ON,
    level: 'MAY',
    clause: 'Defaults of all primitive types reach the client.',
    link: `${ELICITATION}#requested-schema`,
    tests: ['conformance:elicitation-sep1034-defaults'],
  },
  {
    id: 'elicitation/enums',
    ...ALL_2025_11_25_ON,
    level: 'MAY',
    clause: 'Enums, single and multiple, titled and not, reach the client in their form.',
    link: `${ELICITATION}#requested-schema`,
    tests: ['conformance:elicitation-sep1330-enums'],
  },
  {
    id: 'elicitation/supported-modes-only',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause:
      'URL mode is used only with clients that declare it; an empty elicitation capability means form mode alone.',
    link: `${ELICITATION}#capabilities`,
    tests: ['test/e2e/session/handshake.spec.ts#is not asked for %s when its client has not declared %s: %j'],
  },
  {
    id: 'elicitation/url-fields',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'URL mode is asked for with mode url, a message and a valid URL; an invalid URL is never sent.',
    link: `${ELICITATION}#url-mode-elicitation-requests`,
    tests: [
      'test/e2e/session/elicitation.spec.ts#is asked for with mode, message, URL and an id of its own',
      'test/e2e/session/elicitation.spec.ts#that is none is never sent: "%s"',
    ],
  },
  {
    id: 'elicitation/url-elicitation-id',
    ...SESSION_2025_11_25,
    level: 'MUST',
    clause: 'URL mode carries an elicitationId for 2025-11-25 clients.',
    link: `${SESSION_ELICITATION}#url-mode-elicitation-requests`,
    tests: ['test/e2e/session/elicitation.spec.ts#is asked for with mode, message, URL and an id of its own'],
  },
  {
    id: 'elicitation/url-https',
    ...ALL_2025_11_25_ON,
    level: 'SHOULD',
    clause: 'Outside development, users are sent to https URLs only.',
    link: `${ELICITATION}#safe-url-handling`,
    tests: [
      'test/e2e/session/elicitation.spec.ts#that is not https is never sent: %s',
      'test/e2e/session/elicitation.spec.ts#of the machine itself may be http, for development: %s',
    ],
  },
  {
    id: 'elicitation/answers-validated',
    ...ALL_2025_06_18_ON,
    level: 'SHOULD',
    clause: 'An accepted form that does not match its schema never reaches the handler.',
    link: `${ELICITATION}#form-mode-security`,
    tests: ['test/e2e/session/elicitation.spec.ts#that is accepted with %s never reaches the tool'],
  },
  {
    id: 'elicitation/decline-and-cancel',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'A user who declines or dismisses a question ends the call in an orderly way.',
    link: `${ELICITATION}#error-handling`,
    tests: ['test/e2e/session/elicitation.spec.ts#that the user answers with %s ends the call in good order'],
  },
  {
    id: 'elicitation/client-failure',
    ...SESSION_2025_06_18_ON,
    level: 'MUST',
    clause: 'A client that answers a question with an error fails the call instead of leaving it hanging.',
    link: `${SESSION_ELICITATION}#error-handling`,
    tests: ['test/e2e/session/elicitation.spec.ts#that the client answers with an error fails the call'],
  },
  {
    id: 'elicitation/bound-to-user',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'A question is answered by the user it was put to: knowing the session or request id is not enough.',
    link: `${ELICITATION}#security-considerations`,
    tests: [
      'test/e2e/session/elicitation.spec.ts#cannot be answered by another user, even one who knows the session and the id',
    ],
  },
  {
    id: 'sampling/create-message',
    ...ALL,
    level: 'MAY',
    clause: 'A tool asks the model of the client and gets its answer.',
    link: `${SAMPLING}#creating-messages`,
    tests: [
      'conformance:tools-call-sampling',
      'conformance:input-required-result-basic-sampling',
      'test/e2e/session/sampling-and-roots.spec.ts#in a %s session asks the model of the client',
    ],
  },
  {
    id: 'sampling/tools-need-capability',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'Tools are offered to the model only when the client declares sampling.tools.',
    link: `${SAMPLING}#tools-in-sampling`,
    tests: [
      'test/e2e/session/sampling-and-roots.spec.ts#offers no tools to a %s client that declares %j',
      'test/e2e/session/sampling-and-roots.spec.ts#offers tools to a client that declares to support them',
    ],
  },
  {
    id: 'sampling/include-context-needs-capability',
    ...ALL_2025_11_25_ON,
    level: 'SHOULD',
    clause: 'includeContext other than none is sent only when the client declares sampling.context.',
    link: `${SAMPLING}#capabilities`,
    tests: [
      'test/e2e/session/sampling-and-roots.spec.ts#asks a %s client that declares %j to include context %s as %s',
    ],
  },
  {
    id: 'sampling/tool-results-alone',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'A message with tool results holds nothing else; a mixed one is refused unsent.',
    link: `${SAMPLING}#tool-result-messages`,
    tests: ['test/e2e/session/sampling-and-roots.spec.ts#is refused unsent when tool results are mixed: %s'],
  },
  {
    id: 'sampling/tool-uses-answered',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'Every tool use is followed by its result; a history that leaves one open is refused unsent.',
    link: `${SAMPLING}#tool-use-and-result-balance`,
    tests: [
      'test/e2e/session/sampling-and-roots.spec.ts#is refused unsent when a tool use is left open: %s',
      'test/e2e/session/sampling-and-roots.spec.ts#sends a history whose tool uses are all answered',
    ],
  },
  {
    id: 'sampling/client-failure',
    ...SESSION,
    level: 'SHOULD',
    clause: 'A client that refuses to sample fails the call instead of leaving it hanging.',
    link: `${SESSION_SAMPLING}#error-handling`,
    tests: ['test/e2e/session/sampling-and-roots.spec.ts#that the client refuses fails the call'],
  },
  {
    id: 'roots/list',
    ...ALL,
    level: 'MAY',
    clause: 'A tool asks for the roots of the client and gets them.',
    link: `${ROOTS}#listing-roots`,
    tests: [
      'conformance:input-required-result-basic-list-roots',
      'test/e2e/session/sampling-and-roots.spec.ts#are asked for anew each time, so that a change is seen',
    ],
  },
  {
    id: 'roots/capability-checked',
    ...ALL,
    level: 'SHOULD',
    clause: 'Roots are not asked for when the client does not declare them.',
    link: `${ROOTS}#implementation-guidelines`,
    tests: ['test/e2e/session/sampling-and-roots.spec.ts#are not asked for when the client declares %j'],
  },
  {
    id: 'roots/list-changed',
    ...SESSION,
    level: 'SHOULD',
    clause: 'notifications/roots/list_changed is accepted, and the next look at the roots sees the change.',
    link: `${SESSION_ROOTS}#implementation-guidelines`,
    tests: ['test/e2e/session/sampling-and-roots.spec.ts#are asked for anew each time, so that a change is seen'],
  },
];
