import type { SchemaSource } from '../protocol/schema-source.js';
import { addCapability } from './capability-metadata.js';
import type { McpToolOptions } from './capability-options.js';
import type { Fits, Method } from './handler-types.js';

/**
 * Offers a method of a provider or controller as an MCP tool.
 *
 * The method receives the validated arguments and the {@link McpCall}; it returns a string, an object, content
 * blocks, an async iterable of them, or a full `CallToolResult`.
 *
 * @example
 * ```ts
 * @McpTool({ title: 'Add two numbers', annotations: { readOnlyHint: true } })
 * add(input: AddInput): number {
 *   return input.a + input.b;
 * }
 * ```
 * @throws Error at class definition when it is put on something that is not a method
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools
 */
export function McpTool<
  const Input extends SchemaSource | undefined = undefined,
  const Output extends SchemaSource | undefined = undefined,
>(options: McpToolOptions<Input, Output> = {}) {
  return <H extends Method>(
    prototype: object,
    methodName: string | symbol,
    _descriptor: TypedPropertyDescriptor<H>,
  ): Fits<Input, Output, H> => {
    addCapability(prototype, methodName, { kind: 'tool', options: Object.freeze({ ...options }) });
    return undefined as Fits<Input, Output, H>;
  };
}
