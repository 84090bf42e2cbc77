import { McpError } from '../../protocol/errors.js';
import type { Era } from '../../protocol/revisions.js';
import { goOn } from '../../protocol/now-or-later.js';
import { isAbsoluteUri } from '../../protocol/uri.js';
import type { ResourceCapability, TemplateCapability } from '../../registry/capability.js';
import type { CacheHint } from '../../protocol/cache-hint.js';
import type { DispatchServices } from '../dispatch-services.js';
import type { McpRegistry } from '../../registry/mcp-registry.js';
import { resourceResult } from '../encode/resource-result.js';
import {
  type Candidate,
  type HandlerMethod,
  type Params,
  authorise,
  failAsError,
  handle,
  stringParam,
} from './method.js';

type AnyResource = ResourceCapability | TemplateCapability;

/** @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources#reading-resources */
export const resourcesRead: HandlerMethod = {
  target: (params) => stringParam(params, 'uri'),

  run(services, request) {
    const { call, origin } = request;
    const { era } = origin;
    const uri = call.target;
    if (!isAbsoluteUri(uri)) throw new McpError('INVALID_PARAMS', 'params.uri must be an absolute URI.');
    const candidates = candidatesOf(services.registry, uri);
    return goOn(
      authorise(services, request, candidates, () => notFound(uri, era)),
      (resource) => {
        const chosen = candidates.findIndex(({ capability }) => capability === resource);
        const hidden = candidates.slice(0, chosen);
        return handle(services, request, {
          capability: resource,
          input: candidates[chosen]?.given,
          encode: (value) => {
            const result = resourceResult(value, uri, resource.mimeType);
            if (!result) throw notFound(uri, era);
            const cache = isRetry(request.params) ? NOT_CACHEABLE : cacheOf(services, resource, hidden);
            return services.encoder.complete(era, result, cache);
          },
          fail: failAsError,
        });
      },
    );
  },
};

/** Depends on more than the URI, so nobody may keep it (server/utilities/caching, "Cache Key"). */
const NOT_CACHEABLE = { ttlMs: 0, scope: 'private' } as const;

function isRetry(params: Params): boolean {
  return params['inputResponses'] !== undefined || params['requestState'] !== undefined;
}

function candidatesOf(registry: McpRegistry, uri: string): Candidate<AnyResource>[] {
  return [...registry.matchResources(uri)].map(({ resource, variables }) => ({
    capability: resource,
    given: variables,
  }));
}

/**
 * What not everyone may read, nobody may keep for others.
 * @param hidden what the URI means to those who may see more
 */
function cacheOf(
  { access }: DispatchServices,
  resource: AnyResource,
  hidden: readonly Candidate[],
): Required<CacheHint> {
  const { cache } = resource;
  if (cache.scope === 'private') return cache;
  const isSame = hidden.length === 0 && access.isSameForAll([resource]);
  return isSame ? cache : { ...cache, scope: 'private' };
}

/** The code changed with 2026-07-28 (server/resources, "Error Handling"). */
function notFound(uri: string, era: Era): McpError {
  return new McpError(era === 'stateless' ? 'INVALID_PARAMS' : 'RESOURCE_NOT_FOUND', 'Resource not found', { uri });
}
