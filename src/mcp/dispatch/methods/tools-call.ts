import { McpError } from '../../protocol/errors.js';
import { errorOutcome } from '../encode/result-encoder.js';
import { toolErrorResult, toolResult } from '../encode/tool-result.js';
import { type HandlerMethod, handle, objectParam, stringParam } from './method.js';

/** Since this revision invalid arguments are for the model to correct; before, they were a protocol error. */
const MODEL_HEARS_OF_ARGUMENTS = '2025-11-25';

/** @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools#calling-tools */
export const toolsCall: HandlerMethod = {
  target: (params) => stringParam(params, 'name'),

  async run(services, request) {
    const { params, call, origin } = request;
    const tool = services.registry.tools.get(call.target);
    if (!tool) throw new McpError('INVALID_PARAMS', `Unknown tool: ${call.target}`);
    const { encoder } = services;
    const { era, revision } = origin;
    return handle(services, request, {
      capability: tool,
      input: objectParam(params, 'arguments'),
      encode: async (value) => encoder.complete(era, await toolResult(tool, value, era)),
      fail: ({ kind, message }) =>
        kind === 'arguments' && revision < MODEL_HEARS_OF_ARGUMENTS
          ? errorOutcome(new McpError('INVALID_PARAMS', message))
          : encoder.complete(era, toolErrorResult(message)),
    });
  },
};
