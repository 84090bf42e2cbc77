import { argumentsDigest } from './arguments-digest.js';
import type { OperationEntry } from './audit-entry.js';
import type { AuditEvent } from './audit-event.js';
import { cut } from './cut.js';
import { boundFields } from './pick-fields.js';

const MAX_METHOD = 128;
const MAX_RULE = 128;
const MAX_TRACE_ID = 64;
/** Names of primitives, and what identifies the caller. */
const MAX_NAME = 512;

/** What of an event is written: the arguments as their digest, and every text cut, so that an entry stays small. */
export function describeOperation(event: AuditEvent, digestKey?: Uint8Array): OperationEntry {
  const { principal, primitive, fields, code, latencyMs, count } = event;
  const kept = fields && boundFields(Object.entries(fields));
  return {
    type: 'operation',
    issuer: orNull(principal?.issuer, MAX_NAME),
    subject: orNull(principal?.subject, MAX_NAME),
    client: orNull(principal?.client, MAX_NAME),
    tenant: orNull(principal?.tenant, MAX_NAME),
    era: event.era ?? null,
    method: cut(event.method, MAX_METHOD),
    primitive: primitive ? { kind: primitive.kind, name: cut(primitive.name, MAX_NAME) } : null,
    argsDigest: argumentsDigest(event.arguments, digestKey),
    fields: kept,
    decision: event.decision,
    rule: cut(event.rule, MAX_RULE),
    outcome: event.outcome,
    code: Number.isFinite(code) ? code! : null,
    latencyMs: Number.isFinite(latencyMs) ? Math.round(latencyMs * 1_000) / 1_000 : null,
    traceId: orNull(event.traceId, MAX_TRACE_ID),
    count,
  };
}

function orNull(text: string | undefined, length: number): string | null {
  return text === undefined ? null : cut(text, length);
}
