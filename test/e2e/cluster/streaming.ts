import { randomUUID } from 'node:crypto';
import { type Json, type WireSession, statelessRequest } from '../../support/wire.js';
import { EventStream } from '../session/session-app.js';

/** Calls a tool in a session, asking for progress; the answer is a stream. */
export function streamIn(session: WireSession, name: string, args: Json, id: string | number): Promise<EventStream> {
  const params = { name, arguments: args, _meta: { progressToken: id } };
  return EventStream.open((signal) => session.request('tools/call', params, id, signal));
}

export async function read(stream: EventStream, messages: number): Promise<(Json | undefined)[]> {
  const got: (Json | undefined)[] = [];
  while (got.length < messages) got.push(await stream.message());
  return got;
}

export async function subscribe(session: WireSession, uri: string): Promise<void> {
  const response = await session.request('resources/subscribe', { uri }, randomUUID());
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
}

/** A GET stream that is certain to hear of what comes now. */
export async function listening(session: WireSession, lastEventId?: string): Promise<EventStream> {
  const stream = await EventStream.listen(session, lastEventId);
  await stream.next();
  return stream;
}

/** A stream of `subscriptions/listen` that is certain to hear of what comes now. */
export async function subscribed(url: string, notifications: Json): Promise<EventStream> {
  const stream = await EventStream.open((signal) =>
    statelessRequest(url, 'subscriptions/listen', { notifications }, { id: 'sub', signal }),
  );
  await stream.message();
  return stream;
}

/** What a stream says, in short, before it tells of `notes://end`; its connection is closed then. */
export async function upToEnd(stream: EventStream): Promise<unknown[]> {
  const told: unknown[] = [];
  for (let message; (message = await stream.message());) {
    const [short] = inShort([message]);
    if (short === 'notes://end') break;
    told.push(short);
  }
  stream.cut();
  return told;
}

/** The messages of a stream in short: the number of a progress message, the URI or the method of others, `result`. */
export function inShort(messages: readonly (Json | undefined)[]): unknown[] {
  return messages.map((message) => {
    const { method, params = {}, result } = (message ?? {}) as { method?: string; params?: Json; result?: Json };
    if (result !== undefined) return 'result';
    return params['progress'] ?? params['uri'] ?? method ?? message;
  });
}

/** The numbers from 1 on. */
export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
