import type { CompletionTarget } from '../../decorators/capability-options.js';
import { McpError } from '../../protocol/errors.js';
import type { McpRegistry } from '../../registry/mcp-registry.js';
import { completionResult } from '../encode/completion-result.js';
import { type HandlerMethod, type Params, failAsError, handle, objectParam, stringParam } from './method.js';

/** @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion */
export const completionComplete: HandlerMethod = {
  target: (params) => {
    const ref = objectParam(params, 'ref');
    return stringParam(ref, ref['type'] === 'ref/prompt' ? 'name' : 'uri');
  },

  async run(services, request) {
    const { params, origin } = request;
    const argument = objectParam(params, 'argument');
    const target = targetOf(services.registry, params, stringParam(argument, 'name'));
    const completion = services.registry.completion(target);
    if (!completion) return services.encoder.complete(origin.era, completionResult([], ''));
    return handle(services, request, {
      capability: completion,
      input: {
        value: stringParam(argument, 'value'),
        arguments: stringsOf(objectParam(objectParam(params, 'context'), 'arguments')),
      },
      encode: (value) => services.encoder.complete(origin.era, completionResult(value, completion.origin)),
      fail: failAsError,
    });
  },
};

function targetOf(registry: McpRegistry, params: Params, argument: string): CompletionTarget {
  const ref = objectParam(params, 'ref');
  if (ref['type'] === 'ref/prompt') {
    const name = stringParam(ref, 'name');
    const prompt = registry.prompts.get(name);
    if (!prompt) throw new McpError('INVALID_PARAMS', `Unknown prompt: ${name}`);
    return requireArgument({ prompt: name, argument }, prompt.argumentNames);
  }
  if (ref['type'] === 'ref/resource') {
    const uri = stringParam(ref, 'uri');
    const template = registry.templates.get(uri);
    if (template) return requireArgument({ resource: uri, argument }, template.template.variables);
    // A fixed URI is a valid reference too, but has nothing to complete.
    if (registry.resources.get(uri)) return { resource: uri, argument };
    throw new McpError('INVALID_PARAMS', `Unknown resource: ${uri}`);
  }
  throw new McpError('INVALID_PARAMS', 'params.ref.type must be "ref/prompt" or "ref/resource".');
}

function stringsOf(given: Record<string, unknown>): Record<string, string> {
  if (Object.values(given).every((value) => typeof value === 'string')) return given as Record<string, string>;
  throw new McpError('INVALID_PARAMS', 'params.context.arguments must hold strings.');
}

function requireArgument(target: CompletionTarget, known: readonly string[]): CompletionTarget {
  if (known.includes(target.argument)) return target;
  throw new McpError('INVALID_PARAMS', `Unknown argument: ${target.argument}`);
}
