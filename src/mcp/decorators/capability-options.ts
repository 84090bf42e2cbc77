import type { Annotations, Icon, ToolAnnotations } from '@modelcontextprotocol/server';
import type { CacheHint } from '../protocol/cache-hint.js';
import type { SchemaSource } from '../protocol/schema-source.js';

/** What tools, resources and prompts have in common. */
export interface CapabilityOptions {
  /** Unique name: 1 to 128 of `A-Z a-z 0-9 _ - .`. Default: the method's name. */
  readonly name?: string;
  /** Name for people. */
  readonly title?: string;
  /** What it does and when to use it; the model reads this. */
  readonly description?: string;
  readonly icons?: readonly Icon[];
  /** `_meta` of the list entry. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** Milliseconds a call may take, waiting for the user not included. Default: the module's `callTimeoutMs`. */
  readonly timeoutMs?: number;
}

export interface McpToolOptions<
  Input extends SchemaSource | undefined = SchemaSource | undefined,
  Output extends SchemaSource | undefined = SchemaSource | undefined,
> extends CapabilityOptions {
  /** Schema of the arguments. Default: the DTO class the method's input parameter is declared with. */
  readonly input?: Input;
  /** Schema of the result; makes the returned value `structuredContent`. Default: none. */
  readonly output?: Output;
  /** Hints on behaviour, such as `readOnlyHint` or `destructiveHint`. */
  readonly annotations?: ToolAnnotations;
}

export interface McpResourceOptions<
  Input extends SchemaSource | undefined = SchemaSource | undefined,
> extends CapabilityOptions {
  readonly mimeType?: string;
  /** Size of the content in bytes, if known. */
  readonly size?: number;
  readonly annotations?: Annotations;
  /** Schema of the template's variables (strings on the wire). Default: the parameter's DTO class, or none. */
  readonly input?: Input;
  /** Default: not cacheable, private. */
  readonly cache?: CacheHint;
}

export interface McpPromptOptions<
  Input extends SchemaSource | undefined = SchemaSource | undefined,
> extends CapabilityOptions {
  /** Schema of the arguments: a flat object of strings. Default: the DTO class of the method's input parameter. */
  readonly input?: Input;
}

/** What a completion completes: an argument of a prompt, or a variable of a resource template. */
export type CompletionTarget =
  { readonly prompt: string; readonly argument: string } | { readonly resource: string; readonly argument: string };
