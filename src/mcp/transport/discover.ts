import { SERVER_INFO_META_KEY } from '@modelcontextprotocol/server';
import type { Outcome } from '../dispatch/outcome.js';
import { REVISIONS } from '../protocol/revisions.js';
import type { ServerDescription } from './server-description.js';

const results = new WeakMap<ServerDescription, Extract<Outcome, { kind: 'result' }>>();

/** The answer to `server/discover`; it never changes, so it is serialised once. */
export function discoverResult(server: ServerDescription): Extract<Outcome, { kind: 'result' }> {
  let result = results.get(server);
  if (!result) {
    result = {
      kind: 'result',
      json: JSON.stringify({
        resultType: 'complete',
        supportedVersions: REVISIONS,
        capabilities: server.capabilities,
        instructions: server.instructions,
        ttlMs: server.cache.ttlMs,
        cacheScope: server.cache.scope,
        _meta: { [SERVER_INFO_META_KEY]: server.info },
      }),
    };
    results.set(server, result);
  }
  return result;
}
