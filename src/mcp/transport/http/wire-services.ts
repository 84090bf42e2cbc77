import type { LoggerService } from '@nestjs/common';
import type { Authenticator } from '../../auth/authenticator.port.js';
import type { Operations } from '../../dispatch/operations.js';
import type { AccessControl } from '../../policy/access-control.js';
import type { Dispatcher } from '../../dispatch/dispatcher.js';
import type { Telemetry } from '../../observability/telemetry.js';
import type { McpRegistry } from '../../registry/mcp-registry.js';
import type { ChangeBus } from '../../session/change-bus.port.js';
import type { ChangeFanout } from '../../session/change-fanout.js';
import type { EventLog } from '../../session/event-log.port.js';
import type { Mailbox } from '../../session/mailbox.port.js';
import type { SessionStore } from '../../session/session-store.port.js';
import type { ServerDescription } from '../server-description.js';
import type { GracefulStop } from './graceful-stop.js';
import type { HttpOptions } from './http-options.js';
import type { KeepAlive } from './sse-response.js';
import type { OpenStreams } from './open-streams.js';
import type { RunningCalls } from './running-calls.js';

/** What both wires work with. */
export interface WireServices {
  readonly options: HttpOptions;
  readonly server: ServerDescription;
  readonly dispatcher: Dispatcher;
  readonly operations: Operations;
  readonly telemetry: Telemetry;
  readonly access: AccessControl;
  readonly registry: McpRegistry;
  readonly authenticator: Authenticator;
  /** True for a server that asks nobody who he is, and was not told that this is what is wanted. */
  readonly loopbackOnly: boolean;
  readonly fanout: ChangeFanout;
  readonly keepAlive: KeepAlive;
  readonly streams: OpenStreams;
  readonly calls: RunningCalls;
  readonly stop: GracefulStop;
  readonly logger: Pick<LoggerService, 'error' | 'warn'>;
}

/** What the wire of the session revisions works with besides. */
export interface SessionServices {
  readonly store: SessionStore;
  readonly events: EventLog;
  readonly changes: ChangeBus;
  readonly mailbox: Mailbox;
}
