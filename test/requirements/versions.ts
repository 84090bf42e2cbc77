import { ALL, STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const VERSIONING = page('2026-07-28', 'basic/versioning');
const DISCOVER = page('2026-07-28', 'server/discover');
const HTTP = page('2026-07-28', 'basic/transports/streamable-http');

/** Which revision a request is served by, and what `server/discover` tells. */
export const versions: readonly Requirement[] = [
  {
    id: 'versions/unsupported-version',
    ...STATELESS,
    level: 'MUST',
    clause:
      'A version that is not served fails with -32022, listing the served versions and echoing the requested one.',
    link: `${VERSIONING}#protocol-version-negotiation`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/versions.spec.ts#refuses revision "%s" and lists those it speaks',
    ],
  },
  {
    id: 'versions/unsupported-version-400',
    ...STATELESS,
    level: 'MUST',
    clause: 'Over HTTP, -32022 comes with status 400.',
    link: `${HTTP}#protocol-version-header`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/versions.spec.ts#refuses revision "%s" and lists those it speaks',
    ],
  },
  {
    id: 'versions/discover',
    ...STATELESS,
    level: 'MUST',
    clause: 'server/discover is implemented and returns supportedVersions and capabilities.',
    link: `${DISCOVER}#response`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/versions.spec.ts#tells revisions, capabilities, name and instructions in server/discover',
    ],
  },
  {
    id: 'versions/discover-server-info',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'The discover result names the server and its version in _meta.',
    link: `${DISCOVER}#discoverresult`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/versions.spec.ts#tells revisions, capabilities, name and instructions in server/discover',
    ],
  },
  {
    id: 'versions/discover-instructions',
    ...STATELESS,
    level: 'MAY',
    clause: 'The discover result carries the instructions that the server is configured with.',
    link: `${DISCOVER}#discoverresult`,
    tests: [
      'test/e2e/stateless/versions.spec.ts#tells revisions, capabilities, name and instructions in server/discover',
    ],
  },
  {
    id: 'versions/discover-not-needed-first',
    ...STATELESS,
    level: 'MUST',
    clause: 'Any request may be the first one; none needs server/discover before it.',
    link: `${VERSIONING}#protocol-version-negotiation`,
    tests: ['conformance:tools-list', 'test/e2e/stateless/versions.spec.ts#serves a call as the very first request'],
  },
  {
    id: 'versions/era-by-opening',
    ...ALL,
    level: 'MUST',
    clause: 'A request with the per-request _meta is served statelessly; initialize without it opens a session.',
    link: `${VERSIONING}#backward-compatibility-with-initialization-based-versions`,
    tests: [
      'test/e2e/stateless/versions.spec.ts#serves a request with _meta statelessly and opens a session for initialize without it',
    ],
  },
  {
    id: 'versions/both-eras-on-one-endpoint',
    ...ALL,
    level: 'MAY',
    clause: 'Clients of both eras are served at the same time by the same endpoint.',
    link: `${VERSIONING}#backward-compatibility-with-initialization-based-versions`,
    tests: ['test/e2e/stateless/versions.spec.ts#serves clients of both eras at once on one endpoint'],
  },
  {
    id: 'versions/removed-methods',
    ...STATELESS,
    level: 'MUST',
    clause:
      'initialize, ping, logging/setLevel, resources/subscribe and resources/unsubscribe do not exist in the stateless era.',
    link: `${HTTP}#protocol-version-header`,
    tests: [
      'conformance:server-stateless',
      'test/e2e/stateless/versions.spec.ts#does not know %s, a method of the session revisions',
    ],
  },
  {
    id: 'versions/extension-identifiers',
    ...STATELESS,
    level: 'MUST',
    clause: 'Extensions are advertised under a prefixed identifier only.',
    link: `${VERSIONING}#extension-negotiation`,
    tests: ['test/e2e/stateless/versions.spec.ts#advertises extensions under prefixed identifiers only'],
  },
  {
    id: 'versions/unknown-client-extension',
    ...STATELESS,
    level: 'MUST',
    clause: 'A client that declares an extension the server does not know is served by the core protocol.',
    link: `${VERSIONING}#extension-negotiation`,
    tests: [
      'test/e2e/stateless/versions.spec.ts#serves a client with an extension it does not know by the core protocol',
    ],
  },
];
