import { type Socket, connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * A connection that speaks as much HTTP/1.1 as the answers of a server on this machine take: one request at a time, bodies
 * by length or in chunks, ASCII. Little enough for the client not to be what is measured.
 */
export class HttpConnection {
  private received = '';
  private waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
  private onText: ((text: string) => void) | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly host: string,
  ) {
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => this.take(text));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('The server has closed the connection.')));
  }

  static open(url: string): Promise<HttpConnection> {
    const { hostname, port, host } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new HttpConnection(socket, host)));
    });
  }

  post(path: string, headers: string, body: string): Promise<Answer> {
    const head = `POST ${path} HTTP/1.1\r\nhost: ${this.host}\r\n${headers}content-length: ${body.length}\r\n\r\n`;
    return this.exchange(head + body);
  }

  /** Asks for a stream, whose text goes to `onText` as it comes, without the sizes of chunks. */
  stream(head: string, onText: (text: string) => void, body = ''): void {
    this.onText = onText;
    this.socket.write(`${head.replace(' HTTP/1.1\r\n', ` HTTP/1.1\r\nhost: ${this.host}\r\n`)}\r\n${body}`);
  }

  close(): void {
    this.waiting = undefined;
    this.socket.destroy();
  }

  private exchange(text: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket.write(text);
    });
  }

  private take(text: string): void {
    if (this.onText) return this.onText(text);
    this.received += text;
    const answer = parse(this.received);
    if (answer === undefined) return;
    this.received = '';
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.resolve(answer);
  }

  private fail(error: Error): void {
    this.waiting?.reject(error);
    this.waiting = undefined;
  }
}

/** Undefined until all of it is there. */
function parse(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const status = Number(head.slice(9, 12));
  const start = end + 4;
  if (/\r\ntransfer-encoding: chunked/i.test(head)) {
    if (!text.endsWith('0\r\n\r\n')) return undefined;
    return { status, head, body: withoutSizes(text.slice(start)) };
  }
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  return text.length < start + length ? undefined : { status, head, body: text.slice(start, start + length) };
}

function withoutSizes(chunks: string): string {
  let body = '';
  for (let at = 0; ;) {
    const line = chunks.indexOf('\r\n', at);
    const size = parseInt(chunks.slice(at, line), 16);
    if (!(size > 0)) return body;
    body += chunks.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
