import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { McpRegistry } from '../../dist/index.js';

/** Long enough for everything that a publication sets off to have happened. */
const WINDOW_MS = 30;

/** What the harness asks of the server besides MCP, over the channel of the probe. */
export function publishActions(registry: McpRegistry): Record<string, (given: never) => unknown> {
  /** Milliseconds that the event loop was busy within a window, with whatever `work` set off. */
  const busyMs = async (work: () => void): Promise<number> => {
    const before = performance.eventLoopUtilization();
    work();
    await delay(WINDOW_MS);
    return performance.eventLoopUtilization(before).active;
  };
  return {
    async publish({ uri, times }: { uri: string; times: number }): Promise<{ published: number[]; idle: number[] }> {
      const [published, idle]: [number[], number[]] = [[], []];
      for (let n = 0; n < times; n += 1) {
        idle.push(await busyMs(() => undefined));
        published.push(await busyMs(() => void registry.resourceUpdated(uri)));
      }
      return { published, idle };
    },
  };
}
