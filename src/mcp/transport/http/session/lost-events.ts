import { McpError } from '../../../protocol/errors.js';
import { errorFrame } from '../../json-rpc.js';
import type { SseResponse } from '../sse-response.js';
import { requestIdsOf } from './event-id.js';

/** The answers are gone from the log: the client must not wait for them for ever, nor believe that they came. */
export function reportLoss(sse: SseResponse, streamId: string): void {
  const lost = new McpError('INTERNAL_ERROR', 'Events of this stream were lost. Repeat the request.');
  for (const id of requestIdsOf(streamId)) sse.send({ data: errorFrame(id, lost) });
}
