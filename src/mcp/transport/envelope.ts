import type { Implementation, LoggingLevel } from '@modelcontextprotocol/server';
import { isLogLevel } from '../dispatch/log-levels.js';
import { McpError } from '../protocol/errors.js';
import type { ClientDescription } from '../protocol/mcp-call.js';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '../protocol/meta-keys.js';
import { REVISIONS, STATELESS_REVISION } from '../protocol/revisions.js';
import { type JsonObject, isJsonObject } from './json-rpc.js';

/** What every 2026-07-28 request says of itself in `_meta`. */
export interface Envelope {
  readonly version: string;
  readonly client: ClientDescription;
  readonly logLevel: LoggingLevel | undefined;
}

/** The revision a request names in its envelope, if it has one at all. */
export function claimedRevision(params: unknown): unknown {
  const meta = isJsonObject(params) ? params['_meta'] : undefined;
  return isJsonObject(meta) ? meta[PROTOCOL_VERSION_META_KEY] : undefined;
}

/**
 * Reads the envelope of a request.
 * @throws McpError `INVALID_PARAMS` with status 400 (2026-07-28 basic/index, "Per-request protocol fields")
 */
export function readEnvelope(params: JsonObject): Envelope {
  const meta = params['_meta'];
  if (!isJsonObject(meta)) throw malformed('params._meta is missing.');
  const version = meta[PROTOCOL_VERSION_META_KEY];
  if (typeof version !== 'string') throw malformed(`params._meta["${PROTOCOL_VERSION_META_KEY}"] must be a string.`);
  const capabilities = meta[CLIENT_CAPABILITIES_META_KEY];
  if (!isJsonObject(capabilities)) {
    throw malformed(`params._meta["${CLIENT_CAPABILITIES_META_KEY}"] must be an object.`);
  }
  const info = meta[CLIENT_INFO_META_KEY];
  if (info !== undefined && !isImplementation(info)) {
    throw malformed(`params._meta["${CLIENT_INFO_META_KEY}"] must have a name and a version.`);
  }
  const logLevel = meta[LOG_LEVEL_META_KEY];
  if (logLevel !== undefined && !isLogLevel(logLevel)) {
    throw malformed(`params._meta["${LOG_LEVEL_META_KEY}"] is not a log level.`);
  }
  return { version, client: info ? { capabilities, info } : { capabilities }, logLevel };
}

/** @throws McpError `UNSUPPORTED_PROTOCOL_VERSION`; the client picks one of those it is told */
export function requireStatelessRevision(requested: string): void {
  if (requested !== STATELESS_REVISION) throw unsupportedRevision(requested);
}

export function unsupportedRevision(requested: string): McpError {
  return new McpError('UNSUPPORTED_PROTOCOL_VERSION', 'Unsupported protocol version', {
    supported: REVISIONS,
    requested,
  });
}

export function isImplementation(value: unknown): value is Implementation {
  return isJsonObject(value) && typeof value['name'] === 'string' && typeof value['version'] === 'string';
}

function malformed(why: string): McpError {
  return new McpError('INVALID_PARAMS', why, undefined, { status: 400 });
}
