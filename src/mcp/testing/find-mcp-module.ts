import type { DynamicModule, ForwardReference, Type } from '@nestjs/common';
import { McpModule } from '../mcp.module.js';

/** What Nest takes for a module. */
export type ModuleImport = Type | DynamicModule | Promise<DynamicModule> | ForwardReference;

/** The `McpModule` that some modules import themselves, however deep; undefined if they leave it to others. */
export async function findMcpModule(modules: readonly ModuleImport[]): Promise<DynamicModule | undefined> {
  const seen = new Set<unknown>();
  const queue: unknown[] = [...modules];
  while (queue.length > 0) {
    const found = resolved(await queue.shift());
    // A module file in an import cycle is undefined here; Nest says more about it than we could.
    if (found === undefined || seen.has(found)) continue;
    seen.add(found);
    const type = isDynamic(found) ? found.module : found;
    if (type === McpModule) return isDynamic(found) ? found : { module: McpModule };
    if (isDynamic(found)) queue.push(...(found.imports ?? []));
    queue.push(...((Reflect.getMetadata('imports', type) as unknown[] | undefined) ?? []));
  }
  return undefined;
}

function resolved(candidate: unknown): Type | DynamicModule | undefined {
  const target: unknown = isForward(candidate) ? candidate.forwardRef() : candidate;
  return typeof target === 'function' || isDynamic(target) ? (target as Type | DynamicModule) : undefined;
}

function isForward(candidate: unknown): candidate is ForwardReference<() => unknown> {
  return typeof candidate === 'object' && candidate !== null && 'forwardRef' in candidate;
}

function isDynamic(candidate: unknown): candidate is DynamicModule {
  return typeof candidate === 'object' && candidate !== null && 'module' in candidate;
}
