import type { AuditEvent } from '../audit/audit-event.js';
import { pickFields } from '../audit/pick-fields.js';
import type { Admission } from '../limits/call-limits.js';
import type { ObservedOperation, OperationEnd, OperationFailure } from '../observability/server-observer.port.js';
import type { DenialRule } from '../protocol/denial-rule.js';
import type { ErrorName, McpError } from '../protocol/errors.js';
import type { AnyCapability } from '../registry/capability.js';
import type { Decision } from '../policy/decision.js';
import { traceIdOf } from './trace-context.js';

/** Errors that say no, and the rule that they stand for where no other is known. */
const REFUSALS: Readonly<Partial<Record<ErrorName, DenialRule>>> = {
  UNAUTHORIZED: 'authentication',
  FORBIDDEN: 'forbidden',
  SESSION_NOT_FOUND: 'session_not_found',
  RESOURCE_NOT_FOUND: 'unknown',
  METHOD_NOT_FOUND: 'unknown',
};

/** One operation as limits and the audit see it: what was asked, what was decided, and how long it took. */
export class Operation {
  private admissions: Admission[] | undefined;
  private readonly begun = performance.now();
  /** Whether it has been counted against the limits of its caller. */
  isCounted = false;
  private decision: AuditEvent['decision'] = 'allow';
  private rule = 'none';
  private capability: AnyCapability | undefined;
  /** Whether the caller must not learn that there is such a capability. */
  private isHidden = false;
  private given: Readonly<Record<string, unknown>> | undefined;
  private failure: OperationFailure | undefined;
  /** W3C trace id, if somebody traces it. */
  traceId: string | undefined;

  constructor(readonly subject: ObservedOperation) {}

  decide({ effect, rule }: Decision, capability: AnyCapability, given: Readonly<Record<string, unknown>>): void {
    this.capability = capability;
    this.given = given;
    this.isHidden = effect === 'hide';
    this.decision = effect === 'allow' ? 'allow' : 'deny';
    this.rule = rule;
  }

  /** Nothing was found, or the caller may not know of it; what was decided of it stands. */
  deny(rule: DenialRule): void {
    if (this.decision === 'deny') return;
    this.decision = 'deny';
    this.rule = rule;
  }

  /** Keeps what the limits want back when the operation has ended. */
  hold(admission: Admission): void {
    (this.admissions ??= []).push(admission);
  }

  release(): void {
    const { admissions } = this;
    if (!admissions) return;
    this.admissions = undefined;
    for (const admission of admissions) admission.release();
  }

  /** What was refused before anything was decided about a capability. */
  refuse({ reason }: McpError): void {
    const rule = REFUSALS[reason];
    if (rule !== undefined) this.deny(rule);
  }

  /** It was allowed, but not now. */
  limit(rule: string): void {
    this.decision = 'limit';
    this.rule = rule;
  }

  /** Why it does not come to what was wanted; the first reason counts. */
  fail(failure: OperationFailure): void {
    this.failure ??= failure;
  }

  /** Whether nothing was done. */
  get wasRefused(): boolean {
    return this.decision !== 'allow';
  }

  /** What those who watch hear of it. */
  end(outcome: AuditEvent['outcome'], code?: number): OperationEnd {
    const { capability, decision, isHidden, rule } = this;
    return {
      capability: capability && !isHidden && rule !== 'unknown' ? capability.observed : undefined,
      decision,
      rule,
      failure: this.failureAs(outcome),
      code,
      durationMs: performance.now() - this.begun,
    };
  }

  /** What the audit is to keep of it. */
  ended(outcome: AuditEvent['outcome'], code?: number): AuditEvent {
    const { capability } = this;
    const { method, era, principal, params, headers } = this.subject;
    // Of what was asked of something that is not there, the digest at least is kept.
    const given = this.given ?? params?.['arguments'];
    const traceId = this.traceId ?? traceIdOf(params, headers);
    return {
      method,
      ...(era && { era }),
      ...(principal && { principal }),
      ...(traceId !== undefined && { traceId }),
      ...(capability && { primitive: { kind: capability.kind, name: capability.key } }),
      ...(given !== undefined && { arguments: given }),
      ...(capability && fieldsOf(capability, this.given)),
      decision: this.decision,
      rule: this.rule,
      outcome: this.wasRefused ? 'refused' : outcome,
      ...(code !== undefined && { code }),
      latencyMs: performance.now() - this.begun,
    };
  }

  private failureAs(outcome: AuditEvent['outcome']): OperationFailure | undefined {
    if (this.decision === 'limit') return this.rule === 'audit' ? 'unavailable' : 'limited';
    if (this.decision === 'deny') return 'denied';
    if (outcome === 'ok') return undefined;
    if (outcome === 'tool_error' || outcome === 'cancelled') return this.failure ?? outcome;
    return this.failure ?? 'internal_error';
  }
}

function fieldsOf({ rules }: AnyCapability, given: unknown): object | undefined {
  return rules.auditFields.length > 0 ? { fields: pickFields(given, rules.auditFields) } : undefined;
}
