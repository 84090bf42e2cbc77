import { Logger } from '@nestjs/common';
import type {
  CompletionTarget,
  McpPromptOptions,
  McpResourceOptions,
  McpToolOptions,
} from '../decorators/capability-options.js';
import type { McpCall } from '../protocol/mcp-call.js';
import type { SchemaOutput, SchemaSource } from '../protocol/schema-source.js';
import { leavesItsPlace } from '../protocol/uri.js';
import type { CompiledSchema } from '../schema/compiled-schema.js';
import type { Change, ChangeBus } from '../session/change-bus.port.js';
import type {
  AnyCapability,
  CompletionCapability,
  Invoke,
  PromptCapability,
  ResourceCapability,
  TemplateCapability,
  ToolCapability,
} from './capability.js';
import { completionKey, createCompletion, createPrompt, createResource, createTool } from './capability-factory.js';
import type { CapabilitySource } from './capability-factory.js';
import { CapabilityList } from './capability-list.js';
import { type RuntimeRules, rulesFromOptions } from './capability-rules.js';
import { InvalidArgumentsError } from './invalid-arguments.error.js';

type InputOf<S> = S extends SchemaSource ? SchemaOutput<S> : Record<string, unknown>;
type Handler<S> = (input: InputOf<S>, call: McpCall) => unknown;

/** A capability added at runtime. */
export interface Registration {
  /** Takes it away again and tells the clients. Does nothing the second time. */
  remove(): void;
}

/** A resource or template that a URI names. */
export interface MatchedResource {
  readonly resource: ResourceCapability | TemplateCapability;
  readonly variables: Readonly<Record<string, string>>;
}

export interface RegistryOptions {
  /** Entries a page of a list. */
  readonly pageSize: number;
}

/**
 * What this server offers. Everything decorated is in it at boot; more can be added and removed while it runs, and
 * clients of both eras are told (`list_changed`).
 *
 * @example
 * ```ts
 * const registration = registry.addTool({ name: 'ping', handler: () => 'pong' });
 * registration.remove();
 * ```
 */
export class McpRegistry {
  readonly tools: CapabilityList<ToolCapability>;
  readonly resources: CapabilityList<ResourceCapability>;
  readonly templates: CapabilityList<TemplateCapability>;
  readonly prompts: CapabilityList<PromptCapability>;
  private readonly logger = new Logger(McpRegistry.name);
  private readonly completions = new Map<string, CompletionCapability>();
  /** Templates, the most specific first; made anew when they change. */
  private templateOrder: readonly TemplateCapability[] | undefined;

  constructor(
    options: RegistryOptions,
    private readonly changes: ChangeBus,
  ) {
    this.tools = new CapabilityList('tool', options.pageSize);
    this.resources = new CapabilityList('resource', options.pageSize);
    this.templates = new CapabilityList('resource template', options.pageSize);
    this.prompts = new CapabilityList('prompt', options.pageSize);
  }

  /** @throws Error when the name is taken or the schema is unusable; nothing is added then */
  addTool<const S extends SchemaSource | undefined = undefined>(
    tool: McpToolOptions<S> & RuntimeRules & { readonly name: string; readonly handler: Handler<S> },
  ): Registration {
    const { handler, ...options } = tool;
    return this.addAtRuntime(createTool(options, runtimeSource(tool.name, handler as Handler<undefined>, options)));
  }

  /** @throws Error when the URI is taken or unusable; nothing is added then */
  addResource<const S extends SchemaSource | undefined = undefined>(
    resource: McpResourceOptions<S> &
      RuntimeRules & { readonly uri: string; readonly name: string; readonly handler: Handler<S> },
  ): Registration {
    const { handler, uri, ...options } = resource;
    const source = runtimeSource(resource.name, handler as Handler<undefined>, options);
    return this.addAtRuntime(createResource(uri, options, source));
  }

  /** @throws Error when the name is taken or the schema is unusable; nothing is added then */
  addPrompt<const S extends SchemaSource | undefined = undefined>(
    prompt: McpPromptOptions<S> & RuntimeRules & { readonly name: string; readonly handler: Handler<S> },
  ): Registration {
    const { handler, ...options } = prompt;
    const source = runtimeSource(prompt.name, handler as Handler<undefined>, options);
    return this.addAtRuntime(createPrompt(options, source));
  }

  /**
   * @param rules what holds besides the rules of what is completed
   * @throws Error when the argument has a completion already or does not exist
   */
  addCompletion(
    target: CompletionTarget,
    handler: (input: { value: string; arguments: Record<string, string> }, call: McpCall) => unknown,
    rules: RuntimeRules = {},
  ): Registration {
    const source = runtimeSource(completionKey(target), handler as unknown as Handler<undefined>, rules);
    const completion = createCompletion(target, source);
    this.checkCompletion(completion);
    this.add(completion);
    return {
      remove: () => {
        if (this.completions.get(completion.key) === completion) this.completions.delete(completion.key);
      },
    };
  }

  /**
   * Tells the subscribers of a resource, on every replica, that it has changed. Never fails: the change itself has
   * happened, and that nobody could be told of it is for the log.
   */
  resourceUpdated(uri: string): Promise<void> {
    return this.publish({ kind: 'resource', uri });
  }

  /** Adds what the decorators offer. @throws Error on duplicates, and on completions of what does not exist */
  addAll(capabilities: readonly AnyCapability[]): void {
    for (const capability of capabilities) this.add(capability);
    for (const completion of this.completions.values()) this.checkCompletion(completion);
  }

  /**
   * What a URI names, the most specific first: a resource, and the templates that it matches, with the values of their
   * variables. No template matches a value that could lead out of its place, such as `../secret`: handlers use them in
   * paths (server/resources, "Security Considerations").
   */
  *matchResources(uri: string): Generator<MatchedResource> {
    const resource = this.resources.get(uri);
    if (resource) yield { resource, variables: {} };
    this.templateOrder ??= [...this.templates.all()].sort((a, b) => b.template.specificity - a.template.specificity);
    for (const template of this.templateOrder) {
      const variables = template.template.match(uri);
      if (variables && !Object.values(variables).some(leavesItsPlace)) yield { resource: template, variables };
    }
  }

  /** All that there is, of every kind. */
  everything(): AnyCapability[] {
    const { tools, resources, templates, prompts, completions } = this;
    return [...tools.all(), ...resources.all(), ...templates.all(), ...prompts.all(), ...completions.values()];
  }

  completion(target: CompletionTarget): CompletionCapability | undefined {
    return this.completions.get(completionKey(target));
  }

  private addAtRuntime(capability: Exclude<AnyCapability, CompletionCapability>): Registration {
    this.add(capability);
    this.announce(capability);
    let present = true;
    return {
      remove: () => {
        if (!present) return;
        present = false;
        this.remove(capability);
        this.announce(capability);
      },
    };
  }

  private add(capability: AnyCapability): void {
    switch (capability.kind) {
      case 'tool':
        return this.tools.add(capability);
      case 'resource':
        return this.resources.add(capability);
      case 'template':
        this.templateOrder = undefined;
        return this.templates.add(capability);
      case 'prompt':
        return this.prompts.add(capability);
      case 'completion': {
        const present = this.completions.get(capability.key);
        if (present) {
          throw new Error(
            `${present.origin} and ${capability.origin} complete the same argument ${capability.key}. Keep one of them.`,
          );
        }
        this.completions.set(capability.key, capability);
      }
    }
  }

  private remove(capability: Exclude<AnyCapability, CompletionCapability>): void {
    switch (capability.kind) {
      case 'tool':
        this.tools.delete(capability.key);
        break;
      case 'resource':
        this.resources.delete(capability.key);
        break;
      case 'template':
        this.templateOrder = undefined;
        this.templates.delete(capability.key);
        break;
      case 'prompt':
        this.prompts.delete(capability.key);
    }
  }

  private announce({ kind }: AnyCapability): void {
    void this.publish({ kind: kind === 'tool' ? 'tools' : kind === 'prompt' ? 'prompts' : 'resources' });
  }

  private async publish(change: Change): Promise<void> {
    try {
      await this.changes.publish(change);
    } catch (cause) {
      const what = change.kind === 'resource' ? `the resource ${change.uri}` : `the list of ${change.kind}`;
      this.logger.error(`Clients were not told that ${what} changed; they see it when they look again.`, cause);
    }
  }

  private checkCompletion({ target, origin }: CompletionCapability): void {
    const known =
      'prompt' in target
        ? this.prompts.get(target.prompt)?.argumentNames
        : this.templates.get(target.resource)?.template.variables;
    if (known?.includes(target.argument)) return;
    const owner = 'prompt' in target ? `prompt "${target.prompt}"` : `resource template "${target.resource}"`;
    throw new Error(
      known
        ? `${origin} completes "${target.argument}", which the ${owner} does not have. It has: ${known.join(', ')}.`
        : `${origin} completes an argument of the ${owner}, which does not exist. Check its name.`,
    );
  }
}

/** A handler given at runtime runs without Nest's pipeline: no class, so no enhancers. */
function runtimeSource(name: string, handler: Handler<undefined>, rules: RuntimeRules): CapabilitySource {
  const origin = `"${name}" (added at runtime)`;
  return {
    origin,
    rules: rulesFromOptions(rules, origin),
    defaultName: name,
    defaultInput: undefined,
    invoker: (input) => validated(handler, input),
  };
}

function validated(handler: Handler<undefined>, input: CompiledSchema | undefined): Invoke {
  if (!input) return (value, call) => handler(value as Record<string, unknown>, call);
  return async (raw, call) => {
    const checked = await input.validate(raw);
    if (!checked.ok) throw new InvalidArgumentsError(checked.issues);
    return handler(checked.value as Record<string, unknown>, call);
  };
}
