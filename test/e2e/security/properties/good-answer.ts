import { expect } from 'vitest';
import type { Json } from '../../../support/wire.js';
import { expectNoTrace } from '../../robustness/raw.js';
import type { RawAnswer } from './raw-answer.js';

/** What was sent, as far as it decides what an answer may be. */
export interface Sent {
  readonly verb: string;
  /** The body, if it came through as it was. */
  readonly body?: Buffer;
  /** True when the headers are in order, so that an error must name the request. */
  readonly mustEchoId?: boolean;
}

/** Of this server: what would tell how and where it is built. */
const INSIDES = [process.cwd(), 'node_modules', 'node:internal', 'src/mcp', 'HPE_'];

/** Methods of what a server sends on its own account. */
const SERVER_METHODS: readonly unknown[] = [
  'elicitation/create',
  'notifications/cancelled',
  'notifications/message',
  'notifications/progress',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/subscriptions/acknowledged',
  'notifications/tools/list_changed',
];

/** The rule for whatever is sent: no failure of ours, JSON-RPC and nothing else, about this request, and no secret. */
export function expectGoodAnswer(answer: RawAnswer, sent: Sent, secrets: readonly string[]): void {
  const { status, headers, body } = answer;
  expect(status).not.toBeOneOf([500, 502, 504]);
  expectNothingLeaks(answer, secrets);
  if (sent.verb === 'HEAD' || status === 202 || status === 204) return expect(body).toBe('');
  if (isFromNode(answer)) return;
  if (headers['content-type']?.startsWith('text/event-stream')) {
    expect(status).toBe(200);
    return expectMessages(messagesOf(body), status, sent);
  }
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  const json: unknown = JSON.parse(body);
  expectMessages(Array.isArray(json) ? (json as Json[]) : [json as Json], status, sent);
}

/** The rule for other addresses, which anyone may ask for what he likes: what is refused does not look like a success. */
export function expectGoodRefusal(answer: RawAnswer, secrets: readonly string[]): void {
  expect(answer.status).not.toBeOneOf([500, 502, 504]);
  expectNothingLeaks(answer, secrets);
  const isJson = answer.headers['content-type']?.startsWith('application/json') === true;
  if (answer.status < 300 && isJson && answer.body !== '')
    expect(JSON.parse(answer.body)).not.toHaveProperty('error.code', -32603);
}

function expectNothingLeaks({ headers, body }: RawAnswer, secrets: readonly string[]): void {
  expectNoTrace(body);
  // Only who opens a session is told its id.
  const rest = Object.entries(headers).filter(([name]) => name !== 'mcp-session-id');
  const whole = `${JSON.stringify(rest)}\n${body}`;
  expect(
    [...INSIDES, ...secrets].filter((text) => whole.includes(text)),
    whole.slice(0, 1_000),
  ).toEqual([]);
}

/** Node answers by itself, and without a body, what names no host and what expects something that it does not know. */
function isFromNode({ status, headers, body }: RawAnswer): boolean {
  return body === '' && headers['vary'] === undefined && (status === 400 || status === 417);
}

function messagesOf(stream: string): Json[] {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data:') && line.slice(5).trim() !== '')
    .map((line) => JSON.parse(line.slice(5)) as Json);
}

function expectMessages(messages: readonly Json[], status: number, { body, mustEchoId }: Sent): void {
  const ids = idsIn(body);
  const [id, ...more] = ids ?? [];
  const mustEcho = mustEchoId === true && id !== undefined && more.length === 0 && isCall(body);
  for (const message of messages) {
    expect(message).toMatchObject({ jsonrpc: '2.0' });
    if ('method' in message) {
      expect(message['method']).toBeOneOf(SERVER_METHODS as unknown[]);
      continue;
    }
    expect(Object.keys(message).filter((key) => key === 'result' || key === 'error')).toHaveLength(1);
    if (status >= 400) expect(message).toHaveProperty('error');
    if ('error' in message) expectOrdinaryError(message['error'] as Json);
    if (ids && 'id' in message) expect(ids).toContain(message['id']);
    if (mustEcho) expect(message).toHaveProperty('id', id);
  }
}

/** No failure of ours: what a handler throws has a reference, and the words for what takes too long. */
function expectOrdinaryError(error: Json): void {
  expect(error).toMatchObject({ code: expect.any(Number), message: expect.any(String) });
  if (error['code'] === -32603) expect(error).toHaveProperty('data.errorId');
}

/**
 * The ids that a body has, by a reading of its own: empty if it has none that can be read, undefined if there is no
 * telling.
 */
function idsIn(body: Buffer | undefined): unknown[] | undefined {
  if (!body) return undefined;
  const json = read(body);
  if (Array.isArray(json)) return (json.flat() as unknown[]).map(idOf).filter((id) => id !== undefined);
  // What the parser refuses as a whole is not read any further.
  if (REFUSED_WHOLE.test(body.toString())) return undefined;
  const id = idOf(json);
  return id === undefined ? [] : [id];
}

/** Keys that change prototypes, however they are written, and what nests too deep. */
const REFUSED_WHOLE = /__proto__|constructor|\\u|\[{30}/;

/** An error about a response would look like an answer to it, so it bears no id. */
function isCall(body: Buffer | undefined): boolean {
  return typeof (read(body) as Json | undefined)?.['method'] === 'string';
}

/** The JSON of a body; undefined if it is none. */
function read(body: Buffer | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function idOf(message: unknown): unknown {
  const id = (message as Json | null | undefined)?.['id'];
  if (typeof id === 'string') return id.length <= 256 ? id : undefined;
  // JSON has a minus zero, which is written as zero.
  return Number.isSafeInteger(id) ? (id as number) + 0 : undefined;
}
