import type { ClientCapabilities } from '@modelcontextprotocol/server';
import { McpError } from '../protocol/errors.js';
import type { Revision } from '../protocol/revisions.js';
import type { ClientRequest } from './call-origin.js';

/**
 * The capabilities that a session has negotiated: what its revision does not know yet is not among them, whatever the
 * client declares (2025-11-25 basic/lifecycle, "Operation").
 */
export function negotiatedCapabilities(revision: Revision, declared: ClientCapabilities): ClientCapabilities {
  if (revision >= '2025-11-25') return declared;
  const { elicitation, sampling, ...others } = declared;
  return {
    ...others,
    // Forms came with 2025-06-18; URLs, and tools in sampling, with 2025-11-25.
    ...(elicitation && revision >= '2025-06-18' && { elicitation: {} }),
    ...(sampling && { sampling: {} }),
  };
}

/**
 * Refuses a request to the client that it has not declared support for.
 * @throws McpError `MISSING_CLIENT_CAPABILITY` whose data names it (2026-07-28 basic/index, "_meta")
 */
export function requireClientCapability(request: ClientRequest, declared: ClientCapabilities): void {
  if (hasClientCapability(request, declared)) return;
  const required = requiredCapabilities(request);
  const names = Object.keys(required).join(', ');
  throw new McpError('MISSING_CLIENT_CAPABILITY', `This call needs a client with the capability: ${names}.`, {
    requiredCapabilities: required,
  });
}

export function hasClientCapability(request: ClientRequest, declared: ClientCapabilities): boolean {
  return covers(declared, requiredCapabilities(request));
}

function requiredCapabilities({ method, params }: ClientRequest): ClientCapabilities {
  switch (method) {
    case 'elicitation/create':
      return { elicitation: params['mode'] === 'url' ? { url: {} } : {} };
    case 'sampling/createMessage':
      return { sampling: params['tools'] === undefined && params['toolChoice'] === undefined ? {} : { tools: {} } };
    case 'roots/list':
      return { roots: {} };
  }
}

function covers(declared: ClientCapabilities, required: ClientCapabilities): boolean {
  if (required.elicitation) {
    const { elicitation } = declared;
    if (!elicitation) return false;
    // An empty object means form mode (2025-11-25 client/elicitation, "Capabilities").
    return required.elicitation.url
      ? elicitation.url !== undefined
      : !elicitation.url || elicitation.form !== undefined;
  }
  if (required.sampling)
    return declared.sampling !== undefined && (!required.sampling.tools || !!declared.sampling.tools);
  return declared.roots !== undefined;
}
