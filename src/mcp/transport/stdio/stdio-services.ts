import type { LoggerService } from '@nestjs/common';
import type { Dispatcher } from '../../dispatch/dispatcher.js';
import type { Principal } from '../../protocol/principal.js';
import type { Operations } from '../../dispatch/operations.js';
import type { AccessControl } from '../../policy/access-control.js';
import type { McpRegistry } from '../../registry/mcp-registry.js';
import type { ChangeFanout } from '../../session/change-fanout.js';
import type { ServerDescription } from '../server-description.js';
import type { LineWriter } from './line-writer.js';

/** Limits of a channel; the same settings bound an HTTP request. */
export interface StdioLimits {
  /** Bytes a line may have. */
  readonly maxBodyBytes: number;
  /** Levels of objects and arrays a line may nest. */
  readonly maxBodyDepth: number;
  /** Bytes that may wait for a slow reader before no further request is read. */
  readonly maxBufferedBytes: number;
  /** Messages a 2025-03-26 batch may have. */
  readonly maxBatch: number;
  /** Resources that a session or a listener may subscribe to. */
  readonly maxSubscriptions: number;
}

/** What the wires of both eras work with on one channel. */
export interface StdioServices {
  readonly options: StdioLimits;
  readonly server: ServerDescription;
  readonly dispatcher: Dispatcher;
  readonly registry: McpRegistry;
  readonly access: AccessControl;
  readonly operations: Operations;
  readonly fanout: ChangeFanout;
  readonly logger: Pick<LoggerService, 'error'>;
  readonly writer: LineWriter;
  /** Whoever started the process: there are no credentials on the channel itself. */
  readonly principal: Principal;
}
