import type { HealthFacts, ServerFacts } from './health-facts.port.js';
import type { Finding, Readiness } from './readiness.js';
import type { Startup } from './startup.js';

interface ReportParts {
  readonly facts: HealthFacts;
  readonly readiness: Pick<Readiness, 'find'>;
  readonly startup: Pick<Startup, 'isComplete'>;
}

/** All that people want to see of a server at a glance: the body of `/health`. */
export interface HealthDetails extends Omit<ServerFacts, 'name' | 'version' | 'host'> {
  /** `error` if a check keeps requests away, `degraded` if one finds that not everything works. */
  readonly status: 'ok' | 'degraded' | 'error';
  readonly server: { readonly name: string; readonly version: string };
  readonly process: {
    readonly host: string;
    readonly pid: number;
    readonly node: string;
    /** ISO 8601. */
    readonly startedAt: string;
    readonly uptimeSeconds: number;
    /** Whether `/health/startup` says yes. */
    readonly started: boolean;
  };
  readonly memory: {
    readonly rssBytes: number;
    readonly heapUsedBytes: number;
    readonly heapTotalBytes: number;
    readonly externalBytes: number;
  };
  readonly eventLoop: {
    /** Milliseconds by which it was late just now. */
    readonly delayMs: number;
    /** Share of the time in which it was busy, 0 to 1. */
    readonly utilization: number;
    /** Seconds that the share is about: since `/health` was asked the last time, or since the start. */
    readonly overSeconds: number;
  };
  readonly checks: readonly Finding[];
}

/** Looks at a server when it is asked to. It keeps no timer, so a server that nobody looks at pays nothing for it. */
export class HealthReport {
  private lastLook = performance.eventLoopUtilization();
  private lastLookAt = performance.now();

  constructor(private readonly parts: ReportParts) {}

  async read(): Promise<HealthDetails> {
    const { facts, readiness, startup } = this.parts;
    const delayMs = await loopDelay();
    const [{ name, version, host, ...rest }, checks] = await Promise.all([facts.read(), readiness.find()]);
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    return {
      status: statusOf(checks),
      server: { name, version },
      process: {
        host,
        pid: process.pid,
        node: process.version,
        startedAt: new Date(performance.timeOrigin).toISOString(),
        uptimeSeconds: Math.floor(process.uptime()),
        started: startup.isComplete,
      },
      memory: { rssBytes: rss, heapUsedBytes: heapUsed, heapTotalBytes: heapTotal, externalBytes: external },
      eventLoop: { delayMs: rounded(delayMs), ...this.utilization() },
      ...rest,
      checks,
    };
  }

  private utilization(): { utilization: number; overSeconds: number } {
    const now = performance.now();
    const look = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(look, this.lastLook);
    const overSeconds = (now - this.lastLookAt) / 1_000;
    this.lastLook = look;
    this.lastLookAt = now;
    return { utilization: rounded(utilization), overSeconds: rounded(overSeconds) };
  }
}

function statusOf(checks: readonly Finding[]): HealthDetails['status'] {
  if (checks.some(({ ready }) => !ready)) return 'error';
  return checks.some(({ degraded }) => degraded) ? 'degraded' : 'ok';
}

/** Milliseconds until the event loop comes round. */
async function loopDelay(): Promise<number> {
  const begun = performance.now();
  await new Promise((resolve) => setImmediate(resolve));
  return performance.now() - begun;
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
