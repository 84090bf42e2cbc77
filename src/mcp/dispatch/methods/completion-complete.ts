import type { CompletionTarget } from '../../decorators/capability-options.js';
import { McpError } from '../../protocol/errors.js';
import type {
  CompletionCapability,
  PromptCapability,
  ResourceCapability,
  TemplateCapability,
} from '../../registry/capability.js';
import type { McpRegistry } from '../../registry/mcp-registry.js';
import type { DispatchServices } from '../dispatch-services.js';
import { completionResult } from '../encode/completion-result.js';
import {
  type HandlerMethod,
  type Params,
  type MethodRequest,
  admit,
  candidate,
  choose,
  failAsError,
  handle,
  objectParam,
  stringParam,
} from './method.js';

/** What has arguments to complete, or could have. */
interface Reference {
  readonly owner: PromptCapability | ResourceCapability | TemplateCapability | undefined;
  readonly unknown: () => McpError;
  readonly targetOf: (argument: string) => CompletionTarget;
}

/** @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion */
export const completionComplete: HandlerMethod = {
  target: (params) => {
    const ref = objectParam(params, 'ref');
    return stringParam(ref, ref['type'] === 'ref/prompt' ? 'name' : 'uri');
  },

  async run(services, request) {
    const { params, origin } = request;
    const argument = objectParam(params, 'argument');
    const input = {
      value: stringParam(argument, 'value'),
      arguments: stringsOf(objectParam(objectParam(params, 'context'), 'arguments')),
    };
    const name = stringParam(argument, 'name');
    const { owner, unknown, targetOf } = referenceOf(services.registry, params);
    const nothing = () => services.encoder.complete(origin.era, completionResult([], ''));

    // Who may not use a prompt or a resource learns nothing of its arguments either.
    const given = { ...input.arguments, [name]: input.value };
    const found = candidate(owner, given);
    const completed = await choose(services, request, found, unknown);
    requireArgument(completed, name);
    const completion = services.registry.completion(targetOf(name));
    const allowed = completion && (await mayUse(services, request, completion, given));
    // Not the limits of what is completed: those count its uses. Nor of what the caller is not to know of.
    await admit(services, request, allowed ? completion : undefined);
    if (!allowed) return nothing();
    return handle(services, request, {
      capability: completion,
      input,
      encode: (value) => services.encoder.complete(origin.era, completionResult(value, completion.origin)),
      fail: failAsError,
    });
  },
};

/** A completion may require more than what it belongs to. @throws McpError */
async function mayUse(
  { access }: DispatchServices,
  { origin, operation }: MethodRequest,
  completion: CompletionCapability,
  given: Params,
): Promise<boolean> {
  const decision = await access.decide(completion, origin.principal, given);
  operation.decide(decision, completion, given);
  if (decision.effect === 'refuse') throw decision.error;
  return decision.effect === 'allow';
}

/** @throws McpError `INVALID_PARAMS` when it is a reference to nothing that could be completed */
function referenceOf(registry: McpRegistry, params: Params): Reference {
  const ref = objectParam(params, 'ref');
  if (ref['type'] === 'ref/prompt') {
    const name = stringParam(ref, 'name');
    return {
      owner: registry.prompts.get(name),
      unknown: () => new McpError('INVALID_PARAMS', `Unknown prompt: ${name}`),
      targetOf: (argument) => ({ prompt: name, argument }),
    };
  }
  if (ref['type'] === 'ref/resource') {
    const uri = stringParam(ref, 'uri');
    return {
      owner: registry.templates.get(uri) ?? registry.resources.get(uri),
      unknown: () => new McpError('INVALID_PARAMS', `Unknown resource: ${uri}`),
      targetOf: (argument) => ({ resource: uri, argument }),
    };
  }
  throw new McpError('INVALID_PARAMS', 'params.ref.type must be "ref/prompt" or "ref/resource".');
}

/** A fixed URI is a valid reference too, but has nothing to complete. */
function requireArgument(owner: PromptCapability | ResourceCapability | TemplateCapability, argument: string): void {
  if (owner.kind === 'resource') return;
  const known = owner.kind === 'prompt' ? owner.argumentNames : owner.template.variables;
  if (!known.includes(argument)) throw new McpError('INVALID_PARAMS', `Unknown argument: ${argument}`);
}

function stringsOf(given: Record<string, unknown>): Record<string, string> {
  if (Object.values(given).every((value) => typeof value === 'string')) return given as Record<string, string>;
  throw new McpError('INVALID_PARAMS', 'params.context.arguments must hold strings.');
}
