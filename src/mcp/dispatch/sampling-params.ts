import type { ClientCapabilities, CreateMessageRequestParams, SamplingMessage } from '@modelcontextprotocol/server';
import type { Revision } from '../protocol/revisions.js';

/**
 * What a handler wants to ask the client's model, in the form that the client may be sent.
 *
 * @throws Error when the messages break the rules on tool uses: a fault of the handler
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/sampling#message-content-constraints
 */
export function samplingParams(
  params: CreateMessageRequestParams,
  revision: Revision,
  { sampling }: ClientCapabilities,
): CreateMessageRequestParams {
  requireToolUsesAnswered(params.messages);
  // Since 2025-11-25 a client says whether it can include context; without it the rest of the question stands.
  if (revision < '2025-11-25' || sampling?.context !== undefined) return params;
  const { includeContext, ...others } = params;
  return includeContext === 'none' ? params : others;
}

/** Every tool use is answered by the message that follows, and a message with tool results holds nothing else. */
function requireToolUsesAnswered(messages: readonly SamplingMessage[]): void {
  let open: ReadonlySet<string> = new Set();
  for (const [index, { role, content }] of messages.entries()) {
    const blocks = Array.isArray(content) ? content : [content];
    const results = blocks.filter((block) => block.type === 'tool_result');
    const answered = new Set(results.map(({ toolUseId }) => toolUseId));
    if (results.length > 0 && (role !== 'user' || results.length < blocks.length)) {
      throw new Error(
        `Message ${index} mixes tool results with something else. Give them a user message of their own.`,
      );
    }
    if (answered.size !== open.size || [...open].some((id) => !answered.has(id))) {
      throw new Error(`Message ${index} must answer exactly the tool uses of the message before it.`);
    }
    open = new Set(blocks.filter((block) => block.type === 'tool_use').map(({ id }) => id));
  }
  if (open.size > 0) throw new Error('The last message uses tools. Add a user message with their results.');
}
