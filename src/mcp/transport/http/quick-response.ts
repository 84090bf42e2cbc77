import { ServerResponse } from 'node:http';
import { remembering } from '../../protocol/remembering.js';

/** Headers that are the same on every response, as an application sets them and as they stand in a head. */
export class ConstantHeaders {
  private readonly lines: string;
  /** Whether one of them has this name. There are few names, in few ways to write them. */
  private readonly has: (name: string) => boolean;

  /** @param headers names in lower case; names and values as HTTP allows them */
  constructor(readonly headers: Readonly<Record<string, string>>) {
    const names = new Set(Object.keys(headers));
    this.has = remembering(100, (name) => names.has(name.toLowerCase()));
    this.lines = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
  }

  /** The lines of those that a response does not set itself. */
  linesBeside(own: Readonly<Record<string, unknown>>): string {
    for (const name in own) if (this.has(name)) return this.someBeside(own);
    return this.lines;
  }

  private someBeside(own: Readonly<Record<string, unknown>>): string {
    const set = new Set(Object.keys(own).map((name) => name.toLowerCase()));
    const others = Object.entries(this.headers).filter(([name]) => !set.has(name));
    return others.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  }
}

export const NO_HEADERS = new ConstantHeaders({});

/** What Node puts a head together with, since its first releases; it is not in its declarations. */
interface HeadWriter {
  _storeHeader(statusLine: string, headers: unknown): void;
}
const nodes = ServerResponse.prototype as unknown as HeadWriter;

/**
 * A response on which two things that Node does for each are done once.
 *
 * Constant headers are put into the head as they are, instead of being checked one by one each time. Text that is ASCII,
 * as nearly all JSON is, goes to the socket as Latin-1: the same bytes, copied in one go, where the encoder of UTF-8
 * puts them together one by one.
 */
export class QuickResponse extends ServerResponse {
  /** Set before the head is written; those that the response has itself win. */
  constantHeaders: ConstantHeaders | undefined;

  /** All lines of the head but those that Node adds, if they are known beforehand. */
  private wholeHead: string | undefined;

  /** False if this Node puts heads together in another way, and would leave constant headers out. */
  static readonly takesConstantHeaders = typeof nodes._storeHeader === 'function';

  /**
   * Sends an answer whose headers are all known: the lines given (each with its end), whatever was set on the response,
   * and what Node adds, the length included. Only where {@link QuickResponse.takesConstantHeaders}.
   * @param after bytes that follow the text; they go to the socket as they are, so that none of them is copied
   */
  sendWhole(status: number, lines: string, text: string, after?: Buffer): void {
    this.statusCode = status;
    this.wholeHead = lines;
    // Node says it of itself, but not to a client of HTTP/1.0, nor where there are two parts.
    if (after || !this.useChunkedEncodingByDefault) {
      this.setHeader('content-length', Buffer.byteLength(text) + (after?.length ?? 0));
    }
    if (!after) return void this.end(text);
    this.write(text);
    super.end(after);
  }

  // The signatures of Node's declarations are many; what is given goes on as it is.
  override end(...given: unknown[]): this {
    const [text, encoding] = given;
    if (typeof text === 'string' && typeof encoding !== 'string' && isAscii(text)) {
      const ended = typeof encoding === 'function' ? encoding : given[2];
      return super.end(text, 'latin1', ended as () => void);
    }
    return super.end(...(given as Parameters<ServerResponse['end']>));
  }

  /** @internal */
  _storeHeader(statusLine: string, headers: unknown): void {
    const { constantHeaders } = this;
    // What was set on the response itself, by who watches it, comes once.
    const wholeHead = headers ? withoutLines(this.wholeHead, headers) : this.wholeHead;
    const lines = wholeHead ?? constantHeaders?.linesBeside(ownHeaders(this, headers)) ?? '';
    nodes._storeHeader.call(this, statusLine + lines, headers);
  }
}

function withoutLines(lines: string | undefined, headers: object): string | undefined {
  const kept = lines?.split('\r\n').filter((line) => line !== '' && !(line.slice(0, line.indexOf(':')) in headers));
  return kept?.map((line) => `${line}\r\n`).join('');
}

/** Those given to `writeHead`, or, where some were set before, all of them. */
function ownHeaders(response: ServerResponse, headers: unknown): Readonly<Record<string, unknown>> {
  if (Array.isArray(headers)) return Object.fromEntries(pairsOf(headers));
  if (typeof headers === 'object' && headers !== null) return headers as Readonly<Record<string, unknown>>;
  return response.getHeaders();
}

function pairsOf(headers: readonly unknown[]): [string, unknown][] {
  const flat = headers.flat();
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[String(name), flat[index + 1]] as [string, unknown]] : []));
}

/** In UTF-8, and in nothing but it, each character of ASCII is one byte. */
function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
