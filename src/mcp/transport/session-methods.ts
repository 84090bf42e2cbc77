import { randomBytes } from 'node:crypto';
import type { LoggingLevel } from '@modelcontextprotocol/server';
import { isLogLevel } from '../dispatch/log-levels.js';
import type { Outcome } from '../dispatch/outcome.js';
import { McpError } from '../protocol/errors.js';
import { SESSION_REVISIONS, isSessionRevision } from '../protocol/revisions.js';
import { MAX_URI_LENGTH } from '../protocol/uri-template.js';
import type { SessionChange, SessionRecord } from '../session/session-record.js';
import type { Audience } from './audience.js';
import { isImplementation } from './envelope.js';
import type { ServerDescription } from './server-description.js';
import { type JsonObject, type JsonRpcRequest, isJsonObject } from './json-rpc.js';

const EMPTY: Outcome = Object.freeze({ kind: 'result', json: '{}' });
/** Characters of what a client says of itself; it is kept for as long as its session. */
const MAX_DESCRIPTION = 16 * 1024;
/** Random bytes of a session id: 256 bits, of which the specification wants unguessable ones. */
const SESSION_ID_BYTES = 32;

/**
 * Reads `initialize` and makes the record of the session it opens.
 * @param owner `principalKey()` of the caller
 * @param seen position on the change bus from which the session has to be told of changes
 * @throws McpError `INVALID_PARAMS`
 */
export function openSession(params: JsonObject, owner: string, seen: string): SessionRecord {
  const { protocolVersion, capabilities, clientInfo } = params;
  if (typeof protocolVersion !== 'string')
    throw new McpError('INVALID_PARAMS', 'params.protocolVersion must be a string.');
  if (!isJsonObject(capabilities)) throw new McpError('INVALID_PARAMS', 'params.capabilities must be an object.');
  if (!isImplementation(clientInfo)) {
    throw new McpError('INVALID_PARAMS', 'params.clientInfo must have a name and a version.');
  }
  if (JSON.stringify([clientInfo, capabilities]).length > MAX_DESCRIPTION) {
    throw new McpError('INVALID_PARAMS', `clientInfo and capabilities may have ${MAX_DESCRIPTION} characters in all.`);
  }
  return {
    id: randomBytes(SESSION_ID_BYTES).toString('base64url'),
    owner,
    // A version that is not spoken is answered with the newest that is (lifecycle, "Version Negotiation").
    revision: isSessionRevision(protocolVersion) ? protocolVersion : SESSION_REVISIONS[0],
    clientInfo,
    clientCapabilities: capabilities,
    logLevel: undefined,
    subscriptions: [],
    seen,
    createdAt: Date.now(),
  };
}

export function initializeResult(record: SessionRecord, server: ServerDescription): Outcome {
  return {
    kind: 'result',
    json: JSON.stringify({
      protocolVersion: record.revision,
      capabilities: server.capabilities,
      serverInfo: server.info,
      instructions: server.instructions,
    }),
  };
}

/** What the methods that belong to the session revisions alone work with. */
export interface SessionMethodContext {
  readonly record: SessionRecord;
  readonly audience: Audience;
  readonly maxSubscriptions: number;
  /** Changes the record. @returns false if the session has ended meanwhile */
  update(change: SessionChange): Promise<boolean>;
}

type SessionMethod = (context: SessionMethodContext, params: JsonObject) => Promise<Outcome>;

/** @throws McpError */
export const SESSION_METHODS: ReadonlyMap<string, SessionMethod> = new Map<string, SessionMethod>([
  [
    'initialize',
    async () => {
      throw new McpError('INVALID_REQUEST', 'The session is initialized already.');
    },
  ],
  ['ping', async () => EMPTY],
  ['logging/setLevel', (context, { level }) => changed(context, { logLevel: requireLevel(level) })],
  ['resources/subscribe', (context, { uri }) => subscribe(context, uri)],
  ['resources/unsubscribe', (context, { uri }) => changed(context, { unsubscribe: requireUri(uri) })],
]);

/** What answers a method of the session itself; `undefined` if it is not one. */
export function sessionMethod(
  context: SessionMethodContext,
  { method, params }: JsonRpcRequest,
): (() => Promise<Outcome>) | undefined {
  const run = SESSION_METHODS.get(method);
  // Not called at once: what it throws, it throws when it runs.
  return run && (async () => run(context, params));
}

async function changed(context: SessionMethodContext, change: SessionChange): Promise<Outcome> {
  if (await context.update(change)) return EMPTY;
  throw new McpError('SESSION_NOT_FOUND', 'The session has ended.');
}

function requireLevel(level: unknown): LoggingLevel {
  if (isLogLevel(level)) return level;
  throw new McpError('INVALID_PARAMS', 'params.level is not a log level.');
}

function requireUri(uri: unknown): string {
  if (typeof uri !== 'string') throw new McpError('INVALID_PARAMS', 'params.uri must be a string.');
  if (uri.length <= MAX_URI_LENGTH) return uri;
  throw new McpError('INVALID_PARAMS', `params.uri is longer than ${MAX_URI_LENGTH} characters.`);
}

async function subscribe(context: SessionMethodContext, value: unknown): Promise<Outcome> {
  const { audience, record, maxSubscriptions } = context;
  const uri = requireUri(value);
  if (!(await audience.mayFollow(uri))) throw new McpError('RESOURCE_NOT_FOUND', 'Resource not found', { uri });
  if (record.subscriptions.length >= maxSubscriptions && !record.subscriptions.includes(uri)) {
    throw new McpError('INVALID_PARAMS', `At most ${maxSubscriptions} resources can be subscribed to at once.`);
  }
  return changed(context, { subscribe: uri });
}
