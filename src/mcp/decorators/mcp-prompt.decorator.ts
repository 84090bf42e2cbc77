import type { SchemaSource } from '../protocol/schema-source.js';
import { addCapability } from './capability-metadata.js';
import type { McpPromptOptions } from './capability-options.js';
import type { Fits, Method } from './handler-types.js';

/**
 * Offers a method as an MCP prompt. Its arguments are the properties of the input schema.
 *
 * The method receives the validated arguments and the {@link McpCall}; it returns a string (one user message), a
 * message, messages, or a full `GetPromptResult`.
 *
 * @example
 * ```ts
 * @McpPrompt({ title: 'Review code' })
 * review(input: ReviewInput): string {
 *   return `Review this ${input.language} code:\n${input.code}`;
 * }
 * ```
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/prompts
 */
export function McpPrompt<const Input extends SchemaSource | undefined = undefined>(
  options: McpPromptOptions<Input> = {},
) {
  return <H extends Method>(
    prototype: object,
    methodName: string | symbol,
    _descriptor: TypedPropertyDescriptor<H>,
  ): Fits<Input, undefined, H> => {
    addCapability(prototype, methodName, {
      kind: 'prompt',
      options: Object.freeze({ ...options }),
    });
    return undefined as Fits<Input, undefined, H>;
  };
}
