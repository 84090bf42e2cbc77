import { describe, expect, it } from 'vitest';
import { CALL } from '../../../test/support/audit/audit-events.js';
import { describeOperation } from './describe-operation.js';

describe('describeOperation', () => {
  it('says who did what, and of the arguments only the digest', () => {
    expect(describeOperation(CALL)).toEqual({
      type: 'operation',
      issuer: 'https://id.example',
      subject: 'ada',
      client: 'desk',
      tenant: 'acme',
      era: 'stateless',
      method: 'tools/call',
      primitive: { kind: 'tool', name: 'refund' },
      argsDigest: 'sha256:07cdd03320a67bbaf98b90cfed0a7f8d0fe48e7f06527a2c8c95403246c08f5e',
      decision: 'allow',
      rule: 'scopes',
      outcome: 'ok',
      code: null,
      latencyMs: 12.5,
      traceId: '0af7651916cd43dd8448eb211c80319c',
    });
  });

  it('has null for what is not known', () => {
    const refused = { method: 'POST', decision: 'deny', rule: 'token', outcome: 'refused', code: 401 } as const;
    expect(describeOperation({ ...refused, latencyMs: Number.NaN })).toEqual({
      type: 'operation',
      ...{ issuer: null, subject: null, client: null, tenant: null, era: null },
      ...{ method: 'POST', primitive: null, argsDigest: null },
      ...{ decision: 'deny', rule: 'token', outcome: 'refused', code: 401, latencyMs: null, traceId: null },
    });
  });

  it('has the fields that a tool opted in', () => {
    expect(describeOperation({ ...CALL, fields: { orderId: 7, all: { card: '4111' } } }).fields).toEqual({
      orderId: 7,
    });
  });

  it('cuts what a caller can make long', () => {
    const long = 'x'.repeat(10_000);
    const principal = { ...CALL.principal!, issuer: long, subject: long, client: long, tenant: long };
    const primitive = { kind: 'tool', name: long } as const;
    const fields = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}${long}`, long]));
    const entry = describeOperation({ ...CALL, principal, primitive, fields, method: long, rule: long, traceId: long });
    expect(entry.method).toBe(`${'x'.repeat(127)}…`);
    expect(JSON.stringify(entry).length).toBeLessThan(20_000);
  });
});
