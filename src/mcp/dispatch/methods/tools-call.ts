import { McpError } from '../../protocol/errors.js';
import { goOn } from '../../protocol/now-or-later.js';
import { errorOutcome } from '../encode/result-encoder.js';
import { encodeToolError, encodeToolResult } from '../encode/tool-result.js';
import { type HandlerMethod, authorise, candidate, handle, objectParam, stringParam } from './method.js';

/** Since this revision invalid arguments are for the model to correct; before, they were a protocol error. */
const MODEL_HEARS_OF_ARGUMENTS = '2025-11-25';

/** @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools#calling-tools */
export const toolsCall: HandlerMethod = {
  target: (params) => stringParam(params, 'name'),

  run(services, request) {
    const { params, call, origin } = request;
    const given = objectParam(params, 'arguments');
    const found = candidate(services.registry.tools.get(call.target), given);
    const unknown = (): McpError => new McpError('INVALID_PARAMS', `Unknown tool: ${call.target}`);
    const { encoder } = services;
    const { era, revision } = origin;
    return goOn(authorise(services, request, found, unknown), (tool) =>
      handle(services, request, {
        capability: tool,
        input: given,
        encode: (value) => encodeToolResult(encoder, tool, value, era),
        fail: ({ kind, message }) =>
          kind === 'arguments' && revision < MODEL_HEARS_OF_ARGUMENTS
            ? errorOutcome(new McpError('INVALID_PARAMS', message))
            : encodeToolError(encoder, message, era),
      }),
    );
  },
};
