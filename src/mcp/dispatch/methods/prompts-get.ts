import { McpError } from '../../protocol/errors.js';
import { goOn } from '../../protocol/now-or-later.js';
import { promptResult } from '../encode/prompt-result.js';
import { type HandlerMethod, authorise, candidate, failAsError, handle, objectParam, stringParam } from './method.js';

/** @see https://modelcontextprotocol.io/specification/2026-07-28/server/prompts#getting-a-prompt */
export const promptsGet: HandlerMethod = {
  target: (params) => stringParam(params, 'name'),

  run(services, request) {
    const { params, call, origin } = request;
    const given = objectParam(params, 'arguments');
    const found = candidate(services.registry.prompts.get(call.target), given);
    const unknown = (): McpError => new McpError('INVALID_PARAMS', `Unknown prompt: ${call.target}`);
    return goOn(authorise(services, request, found, unknown), (prompt) =>
      handle(services, request, {
        capability: prompt,
        input: given,
        encode: (value) =>
          services.encoder.complete(origin.era, promptResult(value, prompt.description, prompt.origin)),
        fail: failAsError,
      }),
    );
  },
};
