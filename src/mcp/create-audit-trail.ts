import { type KeyObject, createPrivateKey } from 'node:crypto';
import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import type { AuditSink } from './audit/audit-sink.port.js';
import { AuditTrail } from './audit/audit-trail.js';
import { JsonLinesFileSink } from './audit/json-lines-file.sink.js';
import { JsonLinesStreamSink } from './audit/json-lines-stream.sink.js';
import { RedisStreamSink } from './audit/redis-stream.sink.js';
import type { AuditDestination, AuditOptions } from './mcp-options.js';
import { DEFAULT_KEY_PREFIX } from './session/redis/redis-options.js';
import type { SessionBackend } from './session/session-backend.js';

/**
 * Where operations are recorded, as the options say.
 * @throws Error when a destination cannot be had, or the key is none
 */
export function createAuditTrail(audit: AuditOptions, backend: SessionBackend, keyPrefix?: string): AuditTrail {
  const { to, onFailure = 'continue', replica = hostname(), signingKey, digestKey } = audit;
  return new AuditTrail({
    sinks: to.map((destination) => sinkOf(destination, audit, backend, keyPrefix)),
    onFailure,
    replica,
    ...(signingKey !== undefined && { signingKey: privateKeyOf(signingKey) }),
    ...(digestKey && { digestKey }),
    logger: new Logger('Audit'),
  });
}

/** @throws Error when the destination cannot be had */
function sinkOf(
  destination: AuditDestination,
  { onFailure, redisMaxEntries: maxLength }: AuditOptions,
  { appendAudit }: SessionBackend,
  keyPrefix: string = DEFAULT_KEY_PREFIX,
): AuditSink {
  if (destination === 'stdout') return new JsonLinesStreamSink();
  if (destination === 'redis') {
    const length = maxLength === undefined ? {} : { maxLength };
    if (appendAudit) return new RedisStreamSink({ append: appendAudit, keyPrefix, ...length });
    throw new Error('The audit is to go to Redis, but there is none. Set `redis` (REDIS_URL), or send it elsewhere.');
  }
  if (!('file' in destination)) return destination;
  // Where nothing may be done unrecorded, a crash of the machine must not unrecord it.
  return new JsonLinesFileSink({ path: destination.file, sync: onFailure === 'closed' });
}

/** @throws Error that says nothing of the key */
function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(
      'audit.signingKey is not a private key in PEM form. Make one with: openssl genpkey -algorithm ed25519',
    );
  }
}
