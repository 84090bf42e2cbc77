import type { AuditTrail } from '../../audit/audit-trail.js';
import type { Readiness } from '../../health/readiness.js';
import type { CallLimits } from '../../limits/call-limits.js';
import type { McpOptions } from '../../mcp-options.js';
import type { McpServer } from '../../mcp.providers.js';
import type { SessionBackend } from '../../session/session-backend.js';
import type { SessionCount } from '../../session/session-count.js';

/** What is read when somebody scrapes. */
export interface MetricSources {
  readonly options: McpOptions;
  readonly services: McpServer['services'];
  readonly backend: SessionBackend;
  readonly sessions: Pick<SessionCount, 'get'>;
  readonly limits: CallLimits;
  readonly readiness: Readiness;
  /** Absent where nothing is recorded. */
  readonly audit: AuditTrail | undefined;
}
