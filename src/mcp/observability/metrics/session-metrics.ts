import { Counter, type Registry } from 'prom-client';
import type { ServerObserver, StreamLoss } from '../server-observer.port.js';

const LOSSES: readonly StreamLoss[] = ['gap', 'orphaned', 'failed'];

/** Counts what happens to sessions and to the logs of their streams. */
export class SessionMetrics implements ServerObserver {
  private readonly started: Counter;
  private readonly ended: Counter<'reason'>;
  private readonly unknown: Counter;
  private readonly appends: Counter;
  private readonly replays: Counter;
  private readonly gaps: Counter<'reason'>;

  constructor(registry: Registry) {
    const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
      new Counter({ name, help, labelNames, registers: [registry] });
    this.started = counter('mcp_server_sessions_started_total', 'Sessions that were opened on this replica.');
    this.ended = counter('mcp_server_sessions_ended_total', 'Sessions that were ended on this replica.', 'reason');
    this.ended.inc({ reason: 'deleted' }, 0);
    this.unknown = counter(
      'mcp_server_unknown_sessions_total',
      'Requests that named a session which is not, or no longer, there.',
    );
    this.appends = counter('mcp_server_event_log_appends_total', 'Events that were written to the logs of streams.');
    this.replays = counter(
      'mcp_server_event_log_replays_total',
      'Connections that came back to a stream with Last-Event-ID.',
    );
    this.gaps = counter(
      'mcp_server_event_log_gaps_total',
      'Streams that could not go on where their client had left them, by reason.',
      'reason',
    );
    for (const reason of LOSSES) this.gaps.inc({ reason }, 0);
  }

  sessionStarted(): void {
    this.started.inc();
  }

  sessionDeleted(): void {
    this.ended.inc({ reason: 'deleted' });
  }

  sessionUnknown(): void {
    this.unknown.inc();
  }

  eventAppended(): void {
    this.appends.inc();
  }

  streamResumed(): void {
    this.replays.inc();
  }

  streamLost(reason: StreamLoss): void {
    this.gaps.inc({ reason });
  }
}
