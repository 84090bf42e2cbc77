import type { Annotations, Icon } from '@modelcontextprotocol/server';
import type { CompletionTarget } from '../decorators/capability-options.js';
import type { CacheHint } from '../protocol/cache-hint.js';
import type { McpCall } from '../protocol/mcp-call.js';
import type { Era } from '../protocol/revisions.js';
import type { UriTemplate } from '../protocol/uri-template.js';
import type { CompiledSchema } from '../schema/compiled-schema.js';
import type { HeaderParam } from '../schema/header-params.js';
import type { CapabilityRules } from './capability-rules.js';

/**
 * Runs a handler through its guards, interceptors, validation, pipes and filters.
 * @throws InvalidArgumentsError when the input does not fit the schema
 */
export type Invoke = (input: unknown, call: McpCall) => unknown;

/** The entry of a capability in its list, already serialised, for each era. */
export type ListEntry = Readonly<Record<Era, string>>;

interface Capability {
  /** Key in the registry and in the order of lists: the name, URI or template. */
  readonly key: string;
  /** All that observers are given of it: one object for as long as it is registered. */
  readonly observed: { readonly kind: AnyCapability['kind']; readonly key: string };
  /** Class and method, or the name given at runtime; for messages to developers. */
  readonly origin: string;
  readonly invoke: Invoke;
  readonly rules: CapabilityRules;
  /** Milliseconds; `undefined` leaves it to the module's default. */
  readonly timeoutMs: number | undefined;
}

export interface ToolCapability extends Capability {
  readonly kind: 'tool';
  readonly entry: ListEntry;
  readonly input: CompiledSchema;
  readonly output: CompiledSchema | undefined;
  /** True where a session client must see the output inside an object, since its revisions know no other. */
  readonly wrapOutput: boolean;
  readonly headerParams: readonly HeaderParam[];
}

export interface ResourceCapability extends Capability {
  readonly kind: 'resource';
  readonly entry: ListEntry;
  readonly mimeType: string | undefined;
  readonly cache: Required<CacheHint>;
}

export interface TemplateCapability extends Omit<ResourceCapability, 'kind'> {
  readonly kind: 'template';
  readonly template: UriTemplate;
}

export interface PromptCapability extends Capability {
  readonly kind: 'prompt';
  readonly entry: ListEntry;
  readonly description: string | undefined;
  readonly argumentNames: readonly string[];
}

export interface CompletionCapability extends Capability {
  readonly kind: 'completion';
  readonly target: CompletionTarget;
}

export type AnyCapability =
  ToolCapability | ResourceCapability | TemplateCapability | PromptCapability | CompletionCapability;

export type ListedCapability = Exclude<AnyCapability, CompletionCapability>;

/** The list fields that every kind shares. */
export interface ListedFields {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly icons?: readonly Icon[];
  readonly annotations?: Annotations;
  readonly _meta?: Readonly<Record<string, unknown>>;
}
