import { McpError } from '../../protocol/errors.js';
import type { Era } from '../../protocol/revisions.js';
import { isAbsoluteUri } from '../../protocol/uri.js';
import type { ResourceCapability, TemplateCapability } from '../../registry/capability.js';
import type { McpRegistry } from '../../registry/mcp-registry.js';
import { resourceResult } from '../encode/resource-result.js';
import { type HandlerMethod, type Params, failAsError, handle, stringParam } from './method.js';

/** @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources#reading-resources */
export const resourcesRead: HandlerMethod = {
  target: (params) => stringParam(params, 'uri'),

  async run(services, request) {
    const { call, origin } = request;
    const { era } = origin;
    const uri = call.target;
    if (!isAbsoluteUri(uri)) throw new McpError('INVALID_PARAMS', 'params.uri must be an absolute URI.');
    const found = find(services.registry, uri);
    if (!found) throw notFound(uri, era);
    const { resource, variables } = found;
    return handle(services, request, {
      capability: resource,
      input: variables,
      encode: (value) => {
        const result = resourceResult(value, uri, resource.mimeType);
        if (!result) throw notFound(uri, era);
        return services.encoder.complete(era, result, isRetry(request.params) ? NOT_CACHEABLE : resource.cache);
      },
      fail: failAsError,
    });
  },
};

/** Depends on more than the URI, so nobody may keep it (server/utilities/caching, "Cache Key"). */
const NOT_CACHEABLE = { ttlMs: 0, scope: 'private' } as const;

function isRetry(params: Params): boolean {
  return params['inputResponses'] !== undefined || params['requestState'] !== undefined;
}

function find(
  registry: McpRegistry,
  uri: string,
): { resource: ResourceCapability | TemplateCapability; variables: Record<string, string> } | undefined {
  const resource = registry.resources.get(uri);
  if (resource) return { resource, variables: {} };
  const matched = registry.matchTemplate(uri);
  return matched && { resource: matched.template, variables: matched.variables };
}

/** The code changed with 2026-07-28 (server/resources, "Error Handling"). */
function notFound(uri: string, era: Era): McpError {
  return new McpError(era === 'stateless' ? 'INVALID_PARAMS' : 'RESOURCE_NOT_FOUND', 'Resource not found', { uri });
}
