import { SERVER_INFO_META_KEY } from '../protocol/meta-keys.js';
import { keptResult } from '../dispatch/encode/kept-result.js';
import type { ResultOutcome } from '../dispatch/outcome.js';
import { REVISIONS } from '../protocol/revisions.js';
import type { ServerDescription } from './server-description.js';

const results = new WeakMap<ServerDescription, ResultOutcome>();

/** The answer to `server/discover`; it never changes, so it is serialised once. */
export function discoverResult(server: ServerDescription): ResultOutcome {
  let result = results.get(server);
  if (!result) {
    result = keptResult(
      JSON.stringify({
        resultType: 'complete',
        supportedVersions: REVISIONS,
        capabilities: server.capabilities,
        instructions: server.instructions,
        ttlMs: server.cache.ttlMs,
        cacheScope: server.cache.scope,
        _meta: { [SERVER_INFO_META_KEY]: server.info },
      }),
    );
    results.set(server, result);
  }
  return result;
}
