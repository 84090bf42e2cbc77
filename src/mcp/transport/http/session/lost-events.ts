import { McpError } from '../../../protocol/errors.js';
import { errorFrame } from '../../json-rpc.js';
import type { SseResponse } from '../sse-response.js';
import type { EventLog } from '../../../session/event-log.port.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import { requestIdsOf } from './event-id.js';

/** Events read at a time. */
const BATCH = 100;
const LOST = new McpError('INTERNAL_ERROR', 'Events of this stream were lost. Repeat the request.');
const ORPHANED = new McpError(
  'INTERNAL_ERROR',
  'The server that ran this request was lost, and the request was not run again. Repeat it if that does no harm.',
);

/** The answers are gone from the log: the client must not wait for them for ever, nor believe that they came. */
export function reportLoss(sse: SseResponse, streamId: string): void {
  for (const id of requestIdsOf(streamId)) sse.send({ data: errorFrame(id, LOST) });
}

/**
 * Ends a stream whose replica is gone: writes the errors that its calls came to into the log, from where they reach
 * whoever resumes it, now or later. Nothing is run again.
 *
 * @throws Error when the stream has ended meanwhile
 * @throws McpError when the log cannot be read or written
 */
export async function endOrphan(
  services: Pick<SessionServices, 'events' | 'store'> & Pick<WireServices, 'telemetry'>,
  sessionId: string,
  streamId: string,
): Promise<void> {
  await endWithErrors(services, sessionId, streamId, ORPHANED);
  for (const id of requestIdsOf(streamId)) await services.store.leave(sessionId, id);
}

/**
 * Ends a stream in the log with an error for each of its requests that has no response there.
 *
 * @throws Error when the stream has ended meanwhile
 * @throws McpError when the log cannot be read or written
 */
export async function endWithErrors(
  { events, telemetry }: Pick<SessionServices, 'events'> & Pick<WireServices, 'telemetry'>,
  sessionId: string,
  streamId: string,
  error: McpError = LOST,
): Promise<void> {
  const ids = requestIdsOf(streamId);
  const answered = ids.length > 1 ? await answeredIn(events, sessionId, streamId) : new Set();
  const frames = ids.filter((id) => !answered.has(id)).map((id) => errorFrame(id, error));
  const last = frames.pop() ?? '';
  const append = async (frame: string, isLast: boolean): Promise<void> => {
    await events.append(sessionId, streamId, frame, isLast);
    telemetry.eventAppended();
  };
  for (const frame of frames) await append(frame, false);
  await append(last, true);
}

/** Ids of the requests whose response is in the log, as far as the log reaches back. */
async function answeredIn(events: EventLog, sessionId: string, streamId: string): Promise<ReadonlySet<unknown>> {
  const answered = new Set<unknown>();
  let cursor = '';
  for (;;) {
    const read = await events.read(sessionId, streamId, cursor, BATCH);
    if (read.status !== 'ok' || read.events.length === 0) return answered;
    for (const event of read.events) {
      cursor = event.cursor;
      const message = event.data === '' ? {} : (JSON.parse(event.data) as { id?: unknown; method?: unknown });
      if (message.method === undefined) answered.add(message.id);
    }
  }
}
