import type { AuditEvent } from '../../../src/mcp/audit/audit-event.js';
import type { AuditLine } from '../../../src/mcp/audit/audit-report.js';

/** A call of a tool that went well. */
export const CALL: AuditEvent = {
  principal: {
    issuer: 'https://id.example',
    subject: 'ada',
    client: 'desk',
    tenant: 'acme',
    scopes: new Set(['orders']),
    claims: { email: 'ada@acme.example' },
  },
  era: 'stateless',
  method: 'tools/call',
  primitive: { kind: 'tool', name: 'refund' },
  arguments: { orderId: 7, card: '4111111111111111' },
  decision: 'allow',
  rule: 'scopes',
  outcome: 'ok',
  latencyMs: 12.5,
  traceId: '0af7651916cd43dd8448eb211c80319c',
};

export const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

/** The lines of one file, as the verifier reads them. */
export function auditLines(texts: readonly string[], file = 'audit.log'): AuditLine[] {
  return texts.map((text, index) => ({ text, file, line: index + 1 }));
}
