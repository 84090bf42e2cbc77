import 'reflect-metadata';
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
  const method = methodOf(prototype, methodName);
  const present = readCapabilities(method);
  Reflect.defineMetadata(CAPABILITIES, Object.freeze([...present, Object.freeze(capability)]), method);
  Reflect.defineMetadata(ENTRY_PROVIDER_WATERMARK, true, prototype.constructor);
}

export function readCapabilities(method: object): readonly CapabilityMetadata[] {
  return (Reflect.getMetadata(CAPABILITIES, method) as readonly CapabilityMetadata[] | undefined) ?? [];
}

function methodOf(prototype: object, methodName: string | symbol): object {
  const method: unknown = Object.getOwnPropertyDescriptor(prototype, methodName)?.value;
  if (typeof method !== 'function') {
    throw new Error(
      `${prototype.constructor.name}.${String(methodName)} carries an MCP decorator but is not a method. ` +
        'Move the decorator to an instance method.',
    );
  }
  return method;
}
