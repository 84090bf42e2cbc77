import { authorization } from './authorization.js';
import { base } from './base.js';
import { caching } from './caching.js';
import { cancellation } from './cancellation.js';
import { clientFeatures } from './client-features.js';
import { http } from './http.js';
import { jsonSchema } from './json-schema.js';
import { lifecycle } from './lifecycle.js';
import { logging } from './logging.js';
import { mrtr } from './mrtr.js';
import { prompts } from './prompts.js';
import type { Requirement } from './requirement.js';
import { resources } from './resources.js';
import { security } from './security.js';
import { sessionStreams } from './session-streams.js';
import { sessionTransport } from './session-transport.js';
import { statelessHeaders } from './stateless-headers.js';
import { statelessTransport } from './stateless-transport.js';
import { stdio } from './stdio.js';
import { subscriptions } from './subscriptions.js';
import { tools } from './tools.js';
import { versions } from './versions.js';

/** What the specification asks of a server, revision by revision, and the test of each. */
export const REQUIREMENTS: readonly Requirement[] = [
  ...base,
  ...jsonSchema,
  ...versions,
  ...http,
  ...statelessTransport,
  ...statelessHeaders,
  ...mrtr,
  ...subscriptions,
  ...cancellation,
  ...caching,
  ...tools,
  ...resources,
  ...prompts,
  ...logging,
  ...clientFeatures,
  ...lifecycle,
  ...sessionTransport,
  ...sessionStreams,
  ...stdio,
  ...authorization,
  ...security,
];
