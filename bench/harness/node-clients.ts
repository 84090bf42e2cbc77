import { HttpConnection } from './http-connection.js';
import { INITIALIZE, INITIALIZED } from './wire.js';

/** A client of a server, over a transport. */
export interface Client {
  open(): Promise<void>;
  /** Resolves with the answer, whole, after the request has been accepted. */
  call(body: string): Promise<string>;
  close(): void;
}

export const lines = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

/** A POST is answered by its response; with a session, if it is to have one of its own or was given one. */
export class PostClient implements Client {
  private connection: HttpConnection | undefined;
  private headers = '';
  private readonly common: string;
  private readonly path: string;

  constructor(
    private readonly url: string,
    headers: Readonly<Record<string, string>>,
    private readonly session: 'none' | 'own' | { readonly id: string },
  ) {
    this.path = new URL(url).pathname;
    this.common = lines(headers) + (typeof session === 'object' ? lines({ 'mcp-session-id': session.id }) : '');
  }

  async open(): Promise<void> {
    this.connection = await HttpConnection.open(this.url);
    this.headers = this.common;
    if (this.session !== 'own') return;
    const { head, status } = await this.connection.post(this.path, this.headers, INITIALIZE);
    const id = /\r\nmcp-session-id: ([^\r]+)/i.exec(head)?.[1];
    if (id === undefined) throw new Error(`initialize was answered with ${status}.`);
    this.headers += lines({ 'mcp-session-id': id });
    await this.accepted(INITIALIZED);
  }

  async call(body: string): Promise<string> {
    const answer = await this.connection?.post(this.path, this.headers, body);
    if (answer?.status !== 200) throw new Error(`A call was answered with ${answer?.status}: ${answer?.body}`);
    return answer.body;
  }

  close(): void {
    this.connection?.close();
  }

  private async accepted(body: string): Promise<void> {
    const answer = await this.connection?.post(this.path, this.headers, body);
    if (answer?.status !== 202) throw new Error(`A notification was answered with ${answer?.status}.`);
  }
}

/** HTTP+SSE of 2024-11-05: a POST is answered with 202, and the answer comes on a stream that is open all the time. */
export class SseClient implements Client {
  private stream: HttpConnection | undefined;
  private posts: HttpConnection | undefined;
  private endpoint = '';
  private received = '';
  private onEvent: (data: string) => void = () => undefined;

  constructor(private readonly url: string) {}

  async open(): Promise<void> {
    [this.stream, this.posts] = await Promise.all([HttpConnection.open(this.url), HttpConnection.open(this.url)]);
    const endpoint = this.nextEvent();
    const head = `GET ${new URL(this.url).pathname} HTTP/1.1\r\naccept: text/event-stream\r\n`;
    this.stream.stream(head, (text) => this.take(text));
    this.endpoint = await endpoint;
    await this.call(INITIALIZE);
    await this.post(INITIALIZED);
  }

  async call(body: string): Promise<string> {
    const answer = this.nextEvent();
    await this.post(body);
    return answer;
  }

  close(): void {
    this.stream?.close();
    this.posts?.close();
  }

  private async post(body: string): Promise<void> {
    const answer = await this.posts?.post(this.endpoint, 'content-type: application/json\r\n', body);
    if (answer?.status !== 202) throw new Error(`A POST was answered with ${answer?.status}: ${answer?.body}`);
  }

  private nextEvent(): Promise<string> {
    return new Promise((resolve) => (this.onEvent = resolve));
  }

  private take(text: string): void {
    this.received += text;
    const event = /\ndata: (.*)\r?\n\r?\n/.exec(this.received);
    if (event === null) return;
    this.received = '';
    this.onEvent(event[1] ?? '');
  }
}
