import { goOn } from '../../protocol/now-or-later.js';
import type { CapabilityList, Page } from '../../registry/capability-list.js';
import type { ListedCapability } from '../../registry/capability.js';
import type { McpRegistry } from '../../registry/mcp-registry.js';
import type { DispatchServices } from '../dispatch-services.js';
import type { ResultOutcome } from '../outcome.js';
import { type ListMethod, cursorParam } from './method.js';

/** What lists of all kinds have in common. */
type ListedCapabilities = Pick<CapabilityList<ListedCapability>, 'all' | 'page'>;
type ListName = 'tools' | 'resources' | 'templates' | 'prompts';

/** Results by what they show: a page is kept for all who see the same, until the list changes, and its result with it. */
const results = new WeakMap<Page, ResultOutcome>();

function list(name: ListName, field: string): ListMethod {
  return (services, { params, operation, origin }) => {
    const { access, encoder } = services;
    const { era, principal } = origin;
    const cursor = cursorParam(params);
    return goOn(services.operations.admit(operation, undefined), () => {
      const capabilities: ListedCapabilities = (services.registry as Pick<McpRegistry, ListName>)[name];
      const all = capabilities.all();
      return goOn(access.visibility(all, principal), (visibility) => {
        // What was decided was decided of these alone; the list may have changed while a policy was asked.
        const page = capabilities.page(era, cursor, visibility, all);
        const known = results.get(page);
        if (known) return known;
        const result = encoder.list(era, field, page, cacheOf(services, all));
        results.set(page, result);
        return result;
      });
    });
  };
}

/** What not everyone sees, nobody may keep for others. */
function cacheOf({ access, listCache }: DispatchServices, all: readonly ListedCapability[]): typeof listCache {
  return access.isSameForAll(all) ? listCache : { ...listCache, scope: 'private' };
}

export const LIST_METHODS: ReadonlyMap<string, ListMethod> = new Map([
  ['tools/list', list('tools', 'tools')],
  ['resources/list', list('resources', 'resources')],
  ['resources/templates/list', list('templates', 'resourceTemplates')],
  ['prompts/list', list('prompts', 'prompts')],
]);
