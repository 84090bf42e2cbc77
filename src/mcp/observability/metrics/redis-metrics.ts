import type { Registry } from 'prom-client';
import type { ServerObserver } from '../server-observer.port.js';
import { BoundHistogram, type HistogramSeries } from './bound-histogram.js';
import { OTHER } from '../method-names.js';

/** Seconds: Redis is near, or something is wrong. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** More commands than there are; names come from the code. */
const MAX_COMMANDS = 100;

type Outcomes = Record<'ok' | 'error', HistogramSeries>;

/** Measures Redis as this replica sees it. */
export class RedisMetrics implements ServerObserver {
  private readonly durations: BoundHistogram;
  private readonly latency: HistogramSeries;
  private readonly commands = new Map<string, Outcomes>();

  constructor(registry: Registry) {
    this.durations = new BoundHistogram({
      name: 'mcp_server_redis_command_duration_seconds',
      help: 'Time until Redis answered a command or script, in seconds; by command and outcome.',
      buckets: BUCKETS,
      registry,
    });
    const latency = new BoundHistogram({
      name: 'mcp_server_wakeup_latency_seconds',
      help: 'Time that a message of this replica to itself took through Redis, in seconds.',
      buckets: BUCKETS,
      registry,
    });
    this.latency = latency.series({});
  }

  redisCommand(name: string): (error?: unknown) => void {
    const outcomes = this.commands.get(name) ?? this.add(name);
    const begun = performance.now();
    return (error) => {
      (error === undefined ? outcomes.ok : outcomes.error).observe((performance.now() - begun) / 1_000);
    };
  }

  wakeUp(latencyMs: number): void {
    this.latency.observe(latencyMs / 1_000);
  }

  private add(name: string): Outcomes {
    const command = this.commands.size < MAX_COMMANDS ? name : OTHER;
    const known = this.commands.get(command);
    if (known) return known;
    const outcomes = {
      ok: this.durations.series({ command, outcome: 'ok' }),
      error: this.durations.series({ command, outcome: 'error' }),
    };
    this.commands.set(command, outcomes);
    return outcomes;
  }
}
