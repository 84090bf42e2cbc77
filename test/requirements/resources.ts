import { ALL, ALL_2025_06_18_ON, SESSION, STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const RESOURCES = page('2026-07-28', 'server/resources');
const SESSION_RESOURCES = page('2025-11-25', 'server/resources');

/** Resources and templates; subscriptions of the stateless era are in `subscriptions.ts`. */
export const resources: readonly Requirement[] = [
  {
    id: 'resources/capability',
    ...ALL,
    level: 'MUST',
    clause: 'A server with resources declares the resources capability.',
    link: `${RESOURCES}#capabilities`,
    tests: [
      'test/e2e/stateless/versions.spec.ts#tells revisions, capabilities, name and instructions in server/discover',
      'test/e2e/session/handshake.spec.ts#answers revision %s with itself',
    ],
  },
  {
    id: 'resources/list',
    ...ALL,
    level: 'MUST',
    clause: 'resources/list returns the resources open to the caller, each with a URI and a name.',
    link: `${RESOURCES}#listing-resources`,
    tests: [
      'conformance:resources-list',
      'test/e2e/features/resources.spec.ts#are listed, those with a fixed URI apart from the templates',
    ],
  },
  {
    id: 'resources/list-independent-of-connection',
    ...STATELESS,
    level: 'MUST',
    clause: 'The list does not vary with the connection or with what was called on it.',
    link: `${RESOURCES}#capabilities`,
    tests: ['test/e2e/features/pagination.spec.ts#are the same for every connection, whatever was called on it'],
  },
  {
    id: 'resources/list-changed',
    ...SESSION,
    level: 'SHOULD',
    clause: 'Sessions are told when the list of resources changes.',
    link: `${SESSION_RESOURCES}#list-changed-notification`,
    tests: [
      'test/e2e/features/runtime-registry.spec.ts#is announced to every client that listens, and so is its removal',
    ],
  },
  {
    id: 'resources/templates-list',
    ...ALL,
    level: 'MAY',
    clause: 'resources/templates/list returns the URI templates, which the resource list leaves out.',
    link: `${RESOURCES}#resource-templates`,
    tests: ['test/e2e/features/resources.spec.ts#are listed, those with a fixed URI apart from the templates'],
  },
  {
    id: 'resources/read-text',
    ...ALL,
    level: 'MAY',
    clause: 'A text resource is read with its URI, MIME type and text.',
    link: `${RESOURCES}#text-content`,
    tests: ['conformance:resources-read-text', 'test/e2e/features/resources.spec.ts#may be %s'],
  },
  {
    id: 'resources/read-binary',
    ...ALL,
    level: 'MUST',
    clause: 'Binary content is Base64 in blob.',
    link: `${RESOURCES}#binary-content`,
    tests: ['conformance:resources-read-binary', 'test/e2e/features/resources.spec.ts#may be %s'],
  },
  {
    id: 'resources/read-template',
    ...ALL,
    level: 'MAY',
    clause: 'A URI that matches a template is read with the values of its variables.',
    link: `${RESOURCES}#resource-templates`,
    tests: [
      'conformance:resources-templates-read',
      'test/e2e/features/resources.spec.ts#are read by their URI, or by one that fits a template, with its variables decoded',
    ],
  },
  {
    id: 'resources/read-several',
    ...ALL,
    level: 'MAY',
    clause: 'One read returns several contents.',
    link: `${RESOURCES}#reading-resources`,
    tests: ['test/e2e/features/resources.spec.ts#may have several contents, with URIs and types of their own'],
  },
  {
    id: 'resources/not-found',
    ...STATELESS,
    level: 'MUST',
    clause: 'A resource that does not exist is -32602.',
    link: `${RESOURCES}#error-handling`,
    tests: [
      'conformance:sep-2164-resource-not-found',
      'test/e2e/features/resources.spec.ts#that do not exist are an error that names them, never empty contents',
    ],
  },
  {
    id: 'resources/not-found-in-sessions',
    ...SESSION,
    level: 'SHOULD',
    clause: 'A resource that does not exist is -32002 for session clients.',
    link: `${SESSION_RESOURCES}#error-handling`,
    tests: ['test/e2e/features/resources.spec.ts#that do not exist are an error that names them, never empty contents'],
  },
  {
    id: 'resources/not-found-names-uri',
    ...ALL,
    level: 'MAY',
    clause: 'The error about a missing resource names its URI in data.',
    link: `${RESOURCES}#error-handling`,
    tests: [
      'conformance:sep-2164-resource-not-found',
      'test/e2e/features/resources.spec.ts#that do not exist are an error that names them, never empty contents',
    ],
  },
  {
    id: 'resources/not-found-never-empty',
    ...STATELESS,
    level: 'MUST',
    clause: 'A resource that does not exist is never answered with empty contents.',
    link: `${RESOURCES}#error-handling`,
    tests: [
      'conformance:sep-2164-resource-not-found',
      'test/e2e/features/resources.spec.ts#that do not exist are an error that names them, never empty contents',
    ],
  },
  {
    id: 'resources/internal-error',
    ...ALL,
    level: 'SHOULD',
    clause: 'A failure inside a resource is -32603.',
    link: `${RESOURCES}#error-handling`,
    tests: [
      'test/e2e/nest/filters.spec.ts#is masked in resources and prompts, and a ToolError there is an error with its words',
    ],
  },
  {
    id: 'resources/uris-validated',
    ...ALL,
    level: 'MUST',
    clause: 'A uri that is no URI is refused with -32602 before any handler runs.',
    link: `${RESOURCES}#security-considerations`,
    tests: ['test/e2e/features/resources.spec.ts#are not looked for under "%s", which is no URI'],
  },
  {
    id: 'resources/no-path-traversal',
    ...STATELESS,
    level: 'MUST',
    clause: 'A template variable cannot smuggle a path out of its place, encoded or not.',
    link: `${RESOURCES}#security-considerations`,
    tests: ['test/e2e/features/resources.spec.ts#is not matched by a value that leads out of its place: %s'],
  },
  {
    id: 'resources/declared-uris-valid',
    ...ALL_2025_06_18_ON,
    level: 'MUST',
    clause: 'Resources and templates are declared with URIs of RFC 3986 and templates of RFC 6570, or the boot stops.',
    link: `${RESOURCES}#custom-uri-schemes`,
    tests: [
      'test/e2e/nest/discovery-errors.spec.ts#with a resource at %s',
      'test/e2e/nest/discovery-errors.spec.ts#with a template %s',
    ],
  },
  {
    id: 'resources/subscribe',
    ...SESSION,
    level: 'MUST',
    clause: 'A server that declares subscribe accepts resources/subscribe.',
    link: `${SESSION_RESOURCES}#subscriptions`,
    tests: ['conformance:resources-subscribe'],
  },
  {
    id: 'resources/unsubscribe',
    ...SESSION,
    level: 'MUST',
    clause: 'resources/unsubscribe ends the updates of that resource.',
    link: `${SESSION_RESOURCES}#subscriptions`,
    tests: [
      'test/e2e/features/runtime-registry.spec.ts#tells nothing any more of a resource that one has unsubscribed from',
    ],
  },
  {
    id: 'resources/updated-in-sessions',
    ...SESSION,
    level: 'SHOULD',
    clause: 'A session that subscribed is told of each update; one that did not is not.',
    link: `${SESSION_RESOURCES}#subscriptions`,
    tests: [
      'test/e2e/features/runtime-registry.spec.ts#tells of an update those who subscribed to the resource, and nobody else',
    ],
  },
];
