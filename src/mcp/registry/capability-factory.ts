import type {
  CompletionTarget,
  McpPromptOptions,
  McpResourceOptions,
  McpToolOptions,
} from '../decorators/capability-options.js';
import type { CacheHint } from '../protocol/cache-hint.js';
import type { JsonSchema, SchemaSource } from '../protocol/schema-source.js';
import { hasUriCharacters, isAbsoluteUri } from '../protocol/uri.js';
import { parseUriTemplate } from '../protocol/uri-template.js';
import { compileSchema } from '../schema/compile-schema.js';
import type { CompiledSchema } from '../schema/compiled-schema.js';
import { headerParams } from '../schema/header-params.js';
import type {
  AnyCapability,
  CompletionCapability,
  Invoke,
  PromptCapability,
  ResourceCapability,
  TemplateCapability,
  ToolCapability,
} from './capability.js';
import type { CapabilityRules } from './capability-rules.js';
import { type PromptArgumentEntry, isObjectSchema, promptEntry, resourceEntry, toolEntry } from './list-entries.js';

/** What a capability is made from, besides its options. */
export interface CapabilitySource {
  /** Class and method, or a name, for error messages. */
  readonly origin: string;
  /** Name if the options give none. */
  readonly defaultName: string;
  /** Schema if the options give none. */
  readonly defaultInput: SchemaSource | undefined;
  /** Builds the function that runs the handler, once the input schema is compiled. */
  readonly invoker: (input: CompiledSchema | undefined) => Invoke;
  readonly rules: CapabilityRules;
}

/** Accepts nothing but an empty object (2026-07-28 server/tools, "Data Types"). */
const NO_ARGUMENTS: JsonSchema = Object.freeze({ type: 'object', additionalProperties: false });
const NAME = /^[A-Za-z0-9_.-]{1,128}$/;

export function createTool(options: McpToolOptions, source: CapabilitySource): ToolCapability {
  const name = checkedName(options.name ?? source.defaultName, source.origin);
  const input = compileSchema(options.input ?? source.defaultInput ?? NO_ARGUMENTS, `${source.origin} input`, 'input');
  const output = options.output && compileSchema(options.output, `${source.origin} output`, 'output');
  return Object.freeze({
    kind: 'tool',
    key: name,
    observed: observed('tool', name),
    origin: source.origin,
    rules: source.rules,
    entry: toolEntry(name, options, input, output),
    input,
    output,
    wrapOutput: output !== undefined && !isObjectSchema(output.jsonSchema),
    headerParams: headerParams(input.jsonSchema, source.origin),
    timeoutMs: checkedTimeout(options.timeoutMs, source.origin),
    invoke: source.invoker(input),
  });
}

export function createResource(
  uri: string,
  options: McpResourceOptions,
  source: CapabilitySource,
): ResourceCapability | TemplateCapability {
  const name = checkedName(options.name ?? source.defaultName, source.origin);
  const common = {
    key: uri,
    origin: source.origin,
    rules: source.rules,
    mimeType: options.mimeType,
    cache: checkedCache(options.cache, source.origin),
    timeoutMs: checkedTimeout(options.timeoutMs, source.origin),
  };
  const inputSource = options.input ?? source.defaultInput;
  const input = inputSource && compileSchema(inputSource, `${source.origin} input`, 'input');
  if (!isAbsoluteUri(uri)) {
    throw new Error(`${source.origin}: "${uri}" is not an absolute URI. Begin with a scheme, such as "orders://".`);
  }
  if (!uri.includes('{')) {
    if (!hasUriCharacters(uri)) {
      throw new Error(`${source.origin}: "${uri}" holds a character that no URI has. Percent-encode it.`);
    }
    return Object.freeze({
      ...common,
      kind: 'resource',
      observed: observed('resource', uri),
      entry: resourceEntry({ uri }, name, options),
      invoke: source.invoker(input),
    });
  }
  const template = parseUriTemplate(uri, source.origin);
  for (const variable of requiredProperties(input)) {
    if (!template.variables.includes(variable)) {
      throw new Error(
        `${source.origin}: the schema requires "${variable}", which the template ${uri} does not hold. ` +
          `Add {${variable}} to the template or make the property optional.`,
      );
    }
  }
  return Object.freeze({
    ...common,
    kind: 'template',
    observed: observed('template', uri),
    template,
    entry: resourceEntry({ uriTemplate: uri }, name, options),
    invoke: source.invoker(input),
  });
}

export function createPrompt(options: McpPromptOptions, source: CapabilitySource): PromptCapability {
  const name = checkedName(options.name ?? source.defaultName, source.origin);
  const input = compileSchema(options.input ?? source.defaultInput ?? NO_ARGUMENTS, `${source.origin} input`, 'input');
  const promptArguments = argumentsOf(input, source.origin);
  return Object.freeze({
    kind: 'prompt',
    key: name,
    observed: observed('prompt', name),
    origin: source.origin,
    rules: source.rules,
    description: options.description,
    argumentNames: promptArguments.map((argument) => argument.name),
    entry: promptEntry(name, options, promptArguments),
    timeoutMs: checkedTimeout(options.timeoutMs, source.origin),
    invoke: source.invoker(input),
  });
}

export function createCompletion(target: CompletionTarget, source: CapabilitySource): CompletionCapability {
  const key = completionKey(target);
  return Object.freeze({
    kind: 'completion',
    key,
    observed: observed('completion', key),
    origin: source.origin,
    rules: source.rules,
    target,
    timeoutMs: undefined,
    invoke: source.invoker(undefined),
  });
}

function observed(kind: AnyCapability['kind'], key: string): AnyCapability['observed'] {
  return Object.freeze({ kind, key });
}

export function completionKey(target: CompletionTarget): string {
  return 'prompt' in target
    ? JSON.stringify(['prompt', target.prompt, target.argument])
    : JSON.stringify(['resource', target.resource, target.argument]);
}

function checkedName(name: string, origin: string): string {
  if (NAME.test(name)) return name;
  throw new Error(
    `${origin}: "${name}" is not a valid name. Use 1 to 128 characters of A-Z, a-z, 0-9, "_", "-" and "."; ` +
      'set `name` in the decorator if the method is called otherwise.',
  );
}

function checkedTimeout(timeoutMs: number | undefined, origin: string): number | undefined {
  if (timeoutMs === undefined || (Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs < 2 ** 31))
    return timeoutMs;
  throw new Error(`${origin}: timeoutMs is ${timeoutMs}. Give whole milliseconds, from 1 to 2147483647.`);
}

function checkedCache(cache: CacheHint | undefined, origin: string): Required<CacheHint> {
  const { ttlMs = 0, scope = 'private' } = cache ?? {};
  if (!Number.isInteger(ttlMs) || ttlMs < 0) {
    throw new Error(`${origin}: cache.ttlMs is ${ttlMs}. Give whole milliseconds, 0 or more.`);
  }
  return { ttlMs, scope };
}

function requiredProperties(input: CompiledSchema | undefined): readonly string[] {
  return (input?.jsonSchema['required'] as readonly string[] | undefined) ?? [];
}

/** The arguments of a prompt are strings on the wire, so its schema must be a flat object of strings. */
function argumentsOf(input: CompiledSchema, origin: string): PromptArgumentEntry[] {
  const required = new Set(requiredProperties(input));
  const properties = (input.jsonSchema['properties'] ?? {}) as Record<string, JsonSchema>;
  return Object.entries(properties).map(([name, property]) => {
    const { type, title, description } = property;
    if (typeof type === 'string' && type !== 'string') {
      throw new Error(
        `${origin}: argument "${name}" is of type ${type}, but a prompt's arguments are strings. ` +
          'Declare it as a string and convert it in the method.',
      );
    }
    return {
      name,
      ...(typeof title === 'string' && { title }),
      ...(typeof description === 'string' && { description }),
      required: required.has(name),
    };
  });
}
