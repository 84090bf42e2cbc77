import { addCapability } from './capability-metadata.js';
import type { CompletionTarget } from './capability-options.js';
import type { CompletionReturn } from './handler-types.js';

/** What a completion method is called with. */
export interface CompletionInput {
  /** What the user has typed so far; may be empty. */
  readonly value: string;
  /** Arguments that are already filled in. */
  readonly arguments: Readonly<Record<string, string>>;
}

type CompletionHandler =
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- further parameters may be Nest param decorators
  (input: CompletionInput, ...rest: any[]) => CompletionReturn | Promise<CompletionReturn>;

/**
 * Suggests values for an argument of a prompt or a variable of a resource template.
 *
 * The method returns all that match, best first; at most 100 go to the client.
 *
 * @example
 * ```ts
 * @McpCompletion({ prompt: 'review', argument: 'language' })
 * languages({ value }: CompletionInput) {
 *   return LANGUAGES.filter((language) => language.startsWith(value));
 * }
 * ```
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion
 */
export function McpCompletion(target: CompletionTarget) {
  return <H extends CompletionHandler>(
    prototype: object,
    methodName: string | symbol,
    _descriptor: TypedPropertyDescriptor<H>,
  ): void => addCapability(prototype, methodName, { kind: 'completion', target: Object.freeze({ ...target }) });
}
