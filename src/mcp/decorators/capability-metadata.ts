import 'reflect-metadata';
import { requireMethod } from './declaration.js';
import type { CompletionTarget, McpPromptOptions, McpResourceOptions, McpToolOptions } from './capability-options.js';

/** What a decorator wrote on a method. */
export type CapabilityMetadata =
  | { readonly kind: 'tool'; readonly options: McpToolOptions }
  | { readonly kind: 'resource'; readonly uri: string; readonly options: McpResourceOptions }
  | { readonly kind: 'prompt'; readonly options: McpPromptOptions }
  | { readonly kind: 'completion'; readonly target: CompletionTarget };

const CAPABILITIES = 'rookery:capabilities';
/** Nest takes scoped enhancers into account for classes that carry this mark (as `@Resolver()` classes do). */
const ENTRY_PROVIDER_WATERMARK = '__entryProvider__';

/** Adds one capability to a method; a method may carry several. */
export function addCapability(prototype: object, methodName: string | symbol, capability: CapabilityMetadata): void {
  requireMethod(prototype, methodName, 'an MCP decorator', 'Move the decorator to an instance method.');
  const present = ownCapabilities(prototype, methodName);
  const all = Object.freeze([...present, Object.freeze(capability)]);
  // By its place, not on the function, which another decorator may replace.
  Reflect.defineMetadata(CAPABILITIES, all, prototype, methodName);
  Reflect.defineMetadata(ENTRY_PROVIDER_WATERMARK, true, prototype.constructor);
}

/** What a method offers, which may be inherited; an override that carries no decorator itself offers nothing. */
export function readCapabilities(prototype: object, methodName: string | symbol): readonly CapabilityMetadata[] {
  for (let holder: object | null = prototype; holder; holder = Object.getPrototypeOf(holder) as object | null) {
    if (Object.hasOwn(holder, methodName)) return ownCapabilities(holder, methodName);
  }
  return [];
}

function ownCapabilities(prototype: object, methodName: string | symbol): readonly CapabilityMetadata[] {
  const own: unknown = Reflect.getOwnMetadata(CAPABILITIES, prototype, methodName);
  return (own as readonly CapabilityMetadata[] | undefined) ?? [];
}
