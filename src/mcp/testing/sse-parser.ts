/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** Lines of the event's data, joined; empty when it had none, as with an event that only sets an id. */
  readonly data: string;
  readonly id?: string;
  /** Milliseconds to wait before reconnecting. */
  readonly retry?: number;
}

/**
 * Reads a `text/event-stream` as its bytes come in, wherever they are cut: inside a character, a line or a CRLF.
 * Event names are ignored, MCP has none.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class SseParser {
  private readonly utf8 = new TextDecoder();
  private rest = '';
  private afterCarriageReturn = false;
  private data: string[] | undefined;
  private fields: { id?: string; retry?: number } = {};

  /** @returns the events that these bytes complete; one that the stream ends in the middle of never comes */
  push(bytes: Uint8Array): ServerSentEvent[] {
    let text = this.utf8.decode(bytes, { stream: true });
    if (text === '') return [];
    // A CR has ended its line already; the LF that belongs to it is no line of its own.
    if (this.afterCarriageReturn && text.startsWith('\n')) text = text.slice(1);
    this.afterCarriageReturn = text === '' ? false : text.endsWith('\r');

    const lines = (this.rest + text).split(/\r\n|\r|\n/);
    this.rest = lines.pop() ?? '';
    return lines.map((line) => this.take(line)).filter((event) => event !== undefined);
  }

  private take(line: string): ServerSentEvent | undefined {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') (this.data ??= []).push(value);
    else if (name === 'id' && !value.includes('\0')) this.fields.id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.fields.retry = Number(value);
    return undefined;
  }

  private dispatch(): ServerSentEvent | undefined {
    const { data, fields } = this;
    this.data = undefined;
    this.fields = {};
    if (!data && fields.id === undefined && fields.retry === undefined) return undefined;
    return { data: (data ?? []).join('\n'), ...fields };
  }
}
