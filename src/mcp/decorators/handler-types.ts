import type {
  CallToolResult,
  ContentBlock,
  GetPromptResult,
  PromptMessage,
  ReadResourceResult,
} from '@modelcontextprotocol/server';
import type { Observable } from 'rxjs';
import type { McpCall } from '../protocol/mcp-call.js';
import type { DtoClass, SchemaInput, SchemaOutput, StandardSchema } from '../protocol/schema-source.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- parameters of a method whose type is only compared
export type Method = (...args: any[]) => unknown;

type MaybeAsync<T> = T | Promise<T> | Observable<T>;

/** What a tool without an output schema may return. */
export type ToolReturn =
  | string
  | number
  | boolean
  | null
  | undefined
  | void
  | object
  | ContentBlock
  | readonly ContentBlock[]
  | CallToolResult
  | AsyncIterable<string | ContentBlock>;

/** What a tool with an output schema may return: the value, or a full result that carries it. */
type Structured<Output> = SchemaInput<Output> | (CallToolResult & { content: ContentBlock[] });

export type ResourceReturn = string | Uint8Array | object | ReadResourceResult | null | undefined;
export type PromptReturn = string | PromptMessage | readonly PromptMessage[] | GetPromptResult;
export type CompletionReturn =
  readonly string[] | { readonly values: readonly string[]; readonly total?: number; readonly hasMore?: boolean };

/** The compile error a team sees when a handler and its schema disagree. */
export interface SchemaMismatch<Message extends string> {
  readonly 'the handler does not fit its schema': Message;
}

/** A plain JSON Schema says nothing to the compiler, so what a handler declares is taken on trust. */
type Typed = StandardSchema | DtoClass;

type InputFits<Input, H extends Method> = [Input] extends [Typed]
  ? Parameters<H> extends [] | [McpCall]
    ? true
    : SchemaOutput<Input> extends Parameters<H>[0]
      ? true
      : // The call may come first.
        Parameters<H> extends [McpCall, infer Second, ...unknown[]]
        ? SchemaOutput<Input> extends Second
          ? true
          : false
        : false
  : true;

type OutputFits<Output, H extends Method> = [Output] extends [Typed]
  ? ReturnType<H> extends MaybeAsync<Structured<Output>>
    ? true
    : false
  : true;

/** `void` when a method fits its schemas; otherwise a type that a decorator must not return, with the reason in it. */
export type Fits<Input, Output, H extends Method> =
  InputFits<Input, H> extends true
    ? OutputFits<Output, H> extends true
      ? void
      : SchemaMismatch<'its return type is not what the output schema describes'>
    : SchemaMismatch<'its first parameter is not what the input schema yields'>;
