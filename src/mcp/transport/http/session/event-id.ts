import { randomBytes } from 'node:crypto';
import type { RequestId } from '../../json-rpc.js';

/** Name of the stream that GET opens; its cursors are positions on the change bus. */
export const CHANGES_STREAM = 'changes';

/**
 * Id of an event on that stream. Two connections may begin at the same position, and ids must not occur twice in a
 * session, so it also names the connection.
 */
export function changeEventId(connection: string, cursor: string): string {
  return eventId(CHANGES_STREAM, `${connection}.${cursor}`);
}

/** Names a connection in the ids of its events. Not a UUID, which Node puts together from pieces and keeps as such. */
export function newConnectionName(): string {
  return randomBytes(12).toString('base64url');
}

/** The position on the change bus out of the cursor of such an event id. */
export function changeCursorOf(cursor: string): string {
  return cursor.slice(cursor.indexOf('.') + 1);
}

/**
 * Name of the stream that answers some requests. It carries their ids, so that whoever resumes a stream whose events
 * are gone can still be told, request by request, that the answer is lost. The log keeps it: see {@link newConnectionName}.
 */
export function newStreamId(requestIds: readonly RequestId[]): string {
  return `${randomBytes(16).toString('hex')}_${Buffer.from(JSON.stringify(requestIds)).toString('base64url')}`;
}

export function requestIdsOf(streamId: string): readonly RequestId[] {
  try {
    const ids: unknown = JSON.parse(Buffer.from(streamId.slice(streamId.indexOf('_') + 1), 'base64url').toString());
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string' || typeof id === 'number') : [];
  } catch {
    return [];
  }
}

/** An SSE event id names its stream and its place there (2025-11-25 basic/transports, "Resumability and Redelivery"). */
export function eventId(streamId: string, cursor: string): string {
  return `${streamId}.${cursor}`;
}

export function parseEventId(id: string): { streamId: string; cursor: string } | undefined {
  const dot = id.indexOf('.');
  return dot > 0 ? { streamId: id.slice(0, dot), cursor: id.slice(dot + 1) } : undefined;
}
