import { McpError } from '../../protocol/errors.js';
import { promptResult } from '../encode/prompt-result.js';
import { type HandlerMethod, failAsError, handle, objectParam, stringParam } from './method.js';

/** @see https://modelcontextprotocol.io/specification/2026-07-28/server/prompts#getting-a-prompt */
export const promptsGet: HandlerMethod = {
  target: (params) => stringParam(params, 'name'),

  async run(services, request) {
    const { params, call, origin } = request;
    const prompt = services.registry.prompts.get(call.target);
    if (!prompt) throw new McpError('INVALID_PARAMS', `Unknown prompt: ${call.target}`);
    return handle(services, request, {
      capability: prompt,
      input: objectParam(params, 'arguments'),
      encode: (value) => services.encoder.complete(origin.era, promptResult(value, prompt.description, prompt.origin)),
      fail: failAsError,
    });
  },
};
