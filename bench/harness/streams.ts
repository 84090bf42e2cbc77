import { HttpConnection } from './http-connection.js';
import { lines } from './node-clients.js';
import type { ServerProcess } from './server-process.js';
import { bodyOf, headersOf, openSession } from './wire.js';

const AT_ONCE = 20;

/** A stream that somebody listens on. */
export interface HeldStream {
  /** Messages that came since it was opened. */
  readonly updates: number;
  close(): void;
}

export type OpenStreams = (
  server: ServerProcess,
  count: number,
  uriOf?: (n: number) => string,
) => Promise<HeldStream[]>;

/** `subscriptions/listen`, each to a resource of its own unless said otherwise. */
export const openListeners: OpenStreams = ({ url }, count, uriOf = ownUri) =>
  inParallel(count, (n) => {
    const notifications = { resourceSubscriptions: [uriOf(n)], toolsListChanged: true };
    const body = bodyOf('stateless', 'subscriptions/listen', { notifications }).replace('%ID%', String(n));
    const headers = lines({ ...headersOf('stateless', 'subscriptions/listen'), 'content-length': String(body.length) });
    return hold(url, `POST ${new URL(url).pathname} HTTP/1.1\r\n${headers}`, body);
  });

/** Sessions, each subscribed to a resource if one is named, and the GET stream of each. */
export const openGetStreams: OpenStreams = ({ url }, count, uriOf) =>
  inParallel(count, async (n) => {
    const session = await openSession(url);
    const ours = { ...headersOf('session', 'resources/subscribe'), 'mcp-session-id': session };
    if (uriOf) {
      const body = bodyOf('session', 'resources/subscribe', { uri: uriOf(n) }).replace('%ID%', '1');
      const response = await fetch(url, { method: 'POST', headers: ours, body });
      const answer = await response.text();
      if (!answer.includes('"result"')) throw new Error(`resources/subscribe was answered with ${answer}`);
    }
    return hold(url, `GET ${new URL(url).pathname} HTTP/1.1\r\n${lines({ ...ours, accept: 'text/event-stream' })}`);
  });

/** GET streams of a server that knows nothing of sessions. */
export const openPlainStreams: OpenStreams = ({ url }, count) =>
  inParallel(count, () => hold(url, `GET ${new URL(url).pathname} HTTP/1.1\r\naccept: text/event-stream\r\n`));

export async function inParallel<T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) done[n] = await work(n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return done;
}

const ownUri = (n: number): string => `city://${n}`;

/** Resolves when the stream is open. */
async function hold(url: string, head: string, body = ''): Promise<HeldStream> {
  const connection = await HttpConnection.open(url);
  const stream = { updates: 0, close: () => connection.close() };
  await new Promise<void>((resolve, reject) => {
    let isOpen = false;
    connection.stream(
      head,
      (text) => {
        if (!isOpen && !text.startsWith('HTTP/1.1 200 ')) reject(new Error(`A stream was answered with ${text}`));
        isOpen = true;
        stream.updates += text.split('"notifications/resources/updated"').length - 1;
        resolve();
      },
      body,
    );
  });
  return stream;
}
