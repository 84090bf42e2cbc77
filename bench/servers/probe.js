/**
 * Preloaded into every server that is measured (`node --import`), so that none needs a route for it: answers over the
 * IPC channel what the process has used, and runs what a server has put into `benchActions`.
 */
import { PerformanceObserver } from 'node:perf_hooks';

/** Garbage collections that have been; looked at only where they can be asked for. */
let collections = 0;
if (globalThis.gc) {
  new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({ entryTypes: ['gc'] });
}

const actions = {
  usage: () => ({ cpu: process.cpuUsage(), memory: process.memoryUsage(), collections }),
  collect: () => {
    for (let run = 0; run < 4; run += 1) globalThis.gc?.();
  },
  // V8 keeps pages that it has emptied, and a young generation that has grown, unless memory has run out.
  release: () => globalThis.gc?.({ type: 'major', flavor: 'last-resort' }),
};

process.on('message', ({ id, action, given }) => {
  void (async () => {
    try {
      const run = actions[action] ?? globalThis.benchActions?.[action];
      if (run === undefined) throw new Error(`This server has no action ${action}.`);
      process.send({ id, value: await run(given) });
    } catch (error) {
      process.send({ id, error: String(error?.stack ?? error) });
    }
  })();
});
process.on('disconnect', () => process.exit());
// Whoever measures holds the channel open; a server that stops is not to wait for it.
process.channel?.unref();
