import { isAscii, isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { McpError } from '../../protocol/errors.js';
import { nestsDeeperThan } from '../json-text.js';
import type { HttpRequest } from './exchange.js';

/** A preflight has no body. */
const PREFLIGHT_BYTES = 1;
const BYTE_ORDER_MARK = '\uFEFF';

type Done = (error: Error | null, body?: unknown) => void;
type Parse = (request: HttpRequest, text: string, done: Done) => void;

/** Reads the body of a request as JSON. */
export type BodyReader = (request: HttpRequest, payload: Readable, done: Done) => void;

interface Limits {
  readonly maxBodyBytes: number;
  readonly maxBodyDepth: number;
}

/**
 * Has the bodies of a scope read as JSON, and those alone: the parser of the application stays as it is.
 * @returns what reads them, for requests that do not go through Fastify
 */
export function parseJsonWithin(scope: FastifyInstance, limits: Limits): BodyReader {
  scope.removeAllContentTypeParsers();
  const parseCarefully = scope.getDefaultJsonParser('error', 'error') as unknown as Parse;
  const read: BodyReader = (request, payload, done) => {
    new JsonBody(request, limits, { parseCarefully, done }).read(payload);
  };
  scope.addContentTypeParser('application/json', read);
  return read;
}

const BODY = Symbol('body');
type Payload = Readable & { [BODY]?: JsonBody | undefined };

function taken(this: Payload, chunk: Buffer): void {
  this[BODY]?.take(chunk);
}

function ended(this: Payload): void {
  this[BODY]?.end();
}

function brokenOff(this: Payload): void {
  this[BODY]?.breakOff();
}

/**
 * The body of one request, while it comes. What it comes from may stay for hours, if it is a request for a stream: it
 * shares its listeners with all others, and does not know of this any more when it is over.
 */
class JsonBody {
  private readonly chunks: Buffer[] = [];
  private received = 0;
  private isOver = false;
  private payload: Payload | undefined;
  private readonly announced: number;
  private readonly maxBytes: number;

  constructor(
    private readonly request: HttpRequest,
    private readonly limits: Limits,
    private readonly to: { readonly parseCarefully: Parse; readonly done: Done },
  ) {
    this.announced = Number(request.headers['content-length']);
    this.maxBytes = request.method === 'OPTIONS' ? PREFLIGHT_BYTES : limits.maxBodyBytes;
  }

  read(payload: Payload): void {
    if (this.announced > this.maxBytes) return this.refuse(this.tooLarge());
    this.payload = payload;
    payload[BODY] = this;
    payload.on('data', taken);
    payload.on('end', ended);
    payload.on('error', brokenOff);
  }

  /** @internal */
  take(chunk: Buffer): void {
    this.received += chunk.length;
    if (this.received > this.maxBytes) this.refuse(this.tooLarge());
    else this.chunks.push(chunk);
  }

  /** @internal */
  breakOff(): void {
    this.refuse(new McpError('PARSE_ERROR', 'The body broke off.'));
  }

  /** @internal */
  end(): void {
    const { announced, received, request } = this;
    if (!Number.isNaN(announced) && announced !== received) {
      return this.refuse(new McpError('PARSE_ERROR', 'The body is not as long as Content-Length says.'));
    }
    if (received === 0) {
      // Some clients name a type for the body that they do not send.
      if (request.method === 'POST') this.refuse(new McpError('PARSE_ERROR', 'The body is empty.'));
      else this.finish(null, undefined);
      return;
    }
    const [first] = this.chunks;
    this.parse(this.chunks.length === 1 && first ? first : Buffer.concat(this.chunks, received));
  }

  private parse(bytes: Buffer): void {
    const ascii = isAscii(bytes);
    // Decoding would put replacement characters for what is wrong, and the call would go on with other arguments.
    if (!ascii && !isUtf8(bytes)) return this.refuse(new McpError('PARSE_ERROR', 'The body is not UTF-8.'));
    const text = ascii ? bytes.toString('latin1') : bytes.toString();
    const { maxBodyDepth } = this.limits;
    if (nestsDeeperThan(maxBodyDepth, text)) {
      return this.refuse(new McpError('INVALID_REQUEST', `The body nests deeper than ${maxBodyDepth} levels.`));
    }
    if (mayPoison(text)) {
      return this.to.parseCarefully(this.request, text, (error, body) => this.finish(error, body));
    }
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return this.refuse(new McpError('PARSE_ERROR', 'The body is not valid JSON.'));
    }
    this.finish(null, body);
  }

  private tooLarge(): McpError {
    return new McpError('PAYLOAD_TOO_LARGE', `The body is larger than ${this.maxBytes} bytes.`);
  }

  private refuse(error: McpError): void {
    this.finish(error, undefined);
  }

  private finish(error: Error | null, body: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.payload) this.payload[BODY] = undefined;
    this.to.done(error, body);
  }
}

/**
 * Whether a text may hold a key that changes what objects are (`__proto__`, `constructor`), written plainly or with
 * escapes. It looks for parts of them that are rare: each place where the first character is found is looked at.
 */
function mayPoison(text: string): boolean {
  return text.includes('__pro') || text.includes('uctor') || text.includes('\\u') || text.startsWith(BYTE_ORDER_MARK);
}
