import { hostname } from 'node:os';
import type { HealthFacts, ServerFacts } from './health/health-facts.port.js';
import type { McpOptions } from './mcp-options.js';
import type { SessionBackend } from './session/session-backend.js';
import type { SessionCount } from './session/session-count.js';
import type { SessionServices, WireServices } from './transport/http/wire-services.js';

interface FactSources {
  readonly options: McpOptions;
  readonly server: { readonly services: WireServices & SessionServices };
  readonly backend: Pick<SessionBackend, 'health'>;
  readonly sessions: Pick<SessionCount, 'get'>;
}

/** What a server knows of itself: counted here, or measured when it last spoke to Redis, which it does all the time. */
export class McpServerFacts implements HealthFacts {
  constructor(private readonly sources: FactSources) {}

  async read(): Promise<ServerFacts> {
    const { options, server, sessions } = this.sources;
    const { services } = server;
    const { name, version } = services.server.info;
    const open = await sessions.get();
    return {
      name,
      version,
      host: options.audit?.replica ?? hostname(),
      ...(open !== undefined && { sessions: { open, limit: services.store.maxSessions } }),
      streams: { open: services.streams.size, limit: services.options.maxStreams },
      runningCalls: services.calls.size,
      ...(options.redis && { redis: this.redis() }),
    };
  }

  private redis(): NonNullable<ServerFacts['redis']> {
    const { available, latencyMs, wakeUpMs } = this.sources.backend.health();
    return {
      reachable: available,
      ...(latencyMs !== undefined && { latencyMs: rounded(latencyMs) }),
      ...(wakeUpMs !== undefined && { wakeUpMs: rounded(wakeUpMs) }),
    };
  }
}

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
