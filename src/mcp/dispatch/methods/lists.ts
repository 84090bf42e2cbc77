import type { McpRegistry } from '../../registry/mcp-registry.js';
import { type ListMethod, cursorParam } from './method.js';

type ListName = 'tools' | 'resources' | 'templates' | 'prompts';

function list(name: ListName, field: string): ListMethod {
  return (services, params, { era }) => {
    const registry: Pick<McpRegistry, ListName> = services.registry;
    const page = registry[name].page(era, cursorParam(params));
    return services.encoder.list(era, field, page, services.listCache);
  };
}

export const LIST_METHODS: ReadonlyMap<string, ListMethod> = new Map([
  ['tools/list', list('tools', 'tools')],
  ['resources/list', list('resources', 'resources')],
  ['resources/templates/list', list('templates', 'resourceTemplates')],
  ['prompts/list', list('prompts', 'prompts')],
]);
