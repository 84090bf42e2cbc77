import { connect } from 'node:net';

/** One HTTP response, read from bytes. */
export interface RawAnswer {
  readonly status: number;
  /** Lower-case names; several of one name are joined by line feeds. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SendOptions {
  /** Half-closes after the bytes, and reads whatever comes until the server closes. Default: reads one response. */
  readonly toTheEnd?: boolean;
}

/** Milliseconds after which a server that neither answers nor closes counts as hung. No answer is meant to take so long. */
const HUNG_MS = 20_000;
/** What a stream that never ends begins with: it has answered. */
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';

/**
 * Sends bytes as they are on a connection of their own.
 * @returns the responses that came before the connection closed; none if it was closed without a word
 * @throws Error when the server hangs, or answers with what is no HTTP
 */
export function sendRaw(port: number, bytes: Buffer, { toTheEnd = false }: SendOptions = {}): Promise<RawAnswer[]> {
  return new Promise((resolve, reject) => {
    let received = '';
    const start = bytes.subarray(0, 5).toString('latin1');
    const socket = connect(port, '127.0.0.1');
    const finish = (closed: boolean): boolean => {
      try {
        const { answers, rest } = readAnswers(received, start, closed);
        if (!closed && (toTheEnd || answers.length === 0)) return false;
        if (closed && rest.startsWith('HTTP') === false && rest !== '')
          throw new Error(`No HTTP: ${rest.slice(0, 200)}`);
        settle(() => resolve(answers));
      } catch (error) {
        settle(() => reject(error));
      }
      return true;
    };
    const settle = (done: () => void): void => {
      clearTimeout(hung);
      socket.removeAllListeners().on('error', () => undefined);
      socket.destroy();
      done();
    };
    const hung = setTimeout(() => {
      settle(() => reject(new Error(`The server hangs. It said: ${JSON.stringify(received.slice(0, 500))}`)));
    }, HUNG_MS);
    socket.on('connect', () => (toTheEnd ? socket.end(bytes) : socket.write(bytes)));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      finish(false);
    });
    // A server may well break off what it does not like.
    socket.on('error', () => undefined);
    socket.on('close', () => void finish(true));
  });
}

/** The whole responses at the beginning of a text; interim ones (RFC 9110, section 15.2) do not count. */
function readAnswers(text: string, start: string, closed: boolean): { answers: RawAnswer[]; rest: string } {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(rest)?.[1]);
    if (end < 0 || Number.isNaN(status)) return { answers, rest };
    const headers = readHeaders(rest.slice(0, end));
    const after = rest.slice(end + 4);
    if (status < 200) {
      rest = after;
      continue;
    }
    const bodiless = start === 'HEAD ' || status === 204 || status === 304;
    const body = bodiless
      ? { text: '', length: 0 }
      : readBody(after, headers, { closed, isGet: start.startsWith('GET ') });
    if (!body) return { answers, rest };
    answers.push({ status, headers, body: Buffer.from(body.text, 'latin1').toString() });
    rest = after.slice(body.length);
  }
}

function readHeaders(head: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}\n${value}`;
  }
  return headers;
}

/** The body and the characters it takes; undefined if it is not all there yet. */
function readBody(
  text: string,
  headers: Readonly<Record<string, string>>,
  { closed, isGet }: { closed: boolean; isGet: boolean },
): { text: string; length: number } | undefined {
  const length = headers['content-length'];
  if (length !== undefined) {
    return text.length >= Number(length) ? { text: text.slice(0, Number(length)), length: Number(length) } : undefined;
  }
  if (headers['transfer-encoding'] !== 'chunked') return closed ? { text, length: text.length } : undefined;
  const chunks = readChunks(text);
  if (chunks.ended) return { text: chunks.text, length: chunks.length };
  const isStream = headers['content-type']?.startsWith('text/event-stream') === true;
  const isEndless = isStream && (isGet || chunks.text.includes(ACKNOWLEDGED));
  return isEndless || closed ? { text: chunks.text, length: text.length } : undefined;
}

function readChunks(text: string): { text: string; length: number; ended: boolean } {
  let body = '';
  let at = 0;
  for (;;) {
    const line = text.indexOf('\r\n', at);
    const size = line < 0 ? Number.NaN : Number.parseInt(text.slice(at, line), 16);
    if (Number.isNaN(size) || text.length < line + size + 4) return { text: body, length: at, ended: false };
    body += text.slice(line + 2, line + 2 + size);
    at = line + size + 4;
    if (size === 0) return { text: body, length: at, ended: true };
  }
}
