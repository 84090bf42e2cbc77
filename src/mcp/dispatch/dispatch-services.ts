import type { LoggerService } from '@nestjs/common';
import type { AccessControl } from '../policy/access-control.js';
import type { CacheHint } from '../protocol/cache-hint.js';
import type { Telemetry } from '../observability/telemetry.js';
import type { McpRegistry } from '../registry/mcp-registry.js';
import type { AnswerSchemas } from './answer-schemas.js';
import type { ResultEncoder } from './encode/result-encoder.js';
import type { Operations } from './operations.js';
import type { RequestStateSealer } from './request-state.js';

/** What the methods work with. */
export interface DispatchServices {
  readonly registry: McpRegistry;
  readonly access: AccessControl;
  readonly operations: Operations;
  readonly telemetry: Telemetry;
  readonly encoder: ResultEncoder;
  readonly sealer: RequestStateSealer;
  readonly schemas: AnswerSchemas;
  readonly logger: Pick<LoggerService, 'error' | 'warn'>;
  /** Milliseconds a handler may take unless its decorator says otherwise. */
  readonly callTimeoutMs: number;
  /** Cache hint of every list. */
  readonly listCache: Required<CacheHint>;
}
