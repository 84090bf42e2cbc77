import type { CapabilityList, Page } from '../../registry/capability-list.js';
import type { ListedCapability } from '../../registry/capability.js';
import type { McpRegistry } from '../../registry/mcp-registry.js';
import type { Outcome } from '../outcome.js';
import { type DispatchServices } from '../dispatch-services.js';
import { type ListMethod, type ListRequest, cursorParam } from './method.js';

/** What lists of all kinds have in common. */
type ListedCapabilities = Pick<CapabilityList<ListedCapability>, 'all' | 'page'>;
type ListName = 'tools' | 'resources' | 'templates' | 'prompts';

function list(name: ListName, field: string): ListMethod {
  return async (services, request): Promise<Outcome> => {
    const { params, operation, origin } = request;
    const cursor = cursorParam(params);
    await services.operations.admit(operation, undefined);
    const registry: Pick<McpRegistry, ListName> = services.registry;
    const list: ListedCapabilities = registry[name];
    const { page, isSameForAll } = await pageOf(services, list, request, cursor);
    const { ttlMs, scope } = services.listCache;
    return services.encoder.list(origin.era, field, page, { ttlMs, scope: isSameForAll ? scope : 'private' });
  };
}

/** A page of what the caller may see, and whether it is what everyone sees. */
async function pageOf(
  { access }: DispatchServices,
  capabilities: ListedCapabilities,
  { origin }: ListRequest,
  cursor: string | undefined,
): Promise<{ page: Page; isSameForAll: boolean }> {
  const all = capabilities.all();
  // What is decided is decided of these alone; the list may change while a policy is asked.
  const visibility = await access.visibility(all, origin.principal);
  return { page: capabilities.page(origin.era, cursor, visibility, all), isSameForAll: access.isSameForAll(all) };
}

export const LIST_METHODS: ReadonlyMap<string, ListMethod> = new Map([
  ['tools/list', list('tools', 'tools')],
  ['resources/list', list('resources', 'resources')],
  ['resources/templates/list', list('templates', 'resourceTemplates')],
  ['prompts/list', list('prompts', 'prompts')],
]);
