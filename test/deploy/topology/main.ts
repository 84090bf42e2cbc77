import { once } from 'node:events';
import { resolve } from 'node:path';
import { missingNeighbours } from './neighbours.js';
import { Topology } from './topology.js';

/**
 * Runs the topology of docker/compose.yaml without Docker until Ctrl-C, from the root of a repository that is built. Takes
 * the variables of docker/.env.example from its environment.
 */
const missing = missingNeighbours();
if (missing.length > 0) {
  console.error(`The topology cannot run. On Debian: apt-get install ${missing.join(' ')}.`);
  process.exit(1);
}

const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
const env = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
);
await using topology = await Topology.start({
  root: process.cwd(),
  script: resolve('dist/main.js'),
  env,
  // As in the compose file.
  published: {
    nginx: Number(env['MCP_PUBLISHED_PORT'] ?? 8080),
    prometheus: Number(env['PROMETHEUS_PUBLISHED_PORT'] ?? 9090),
  },
});
console.log(`What is not as the committed files say:\n  ${topology.substitutions.join('\n  ')}\n`);
for (const { process: server, address, management } of topology.replicas) {
  console.log(`${server.name}  http://${address}/mcp  health and metrics http://${management}  process ${server.pid}`);
}
console.log(`Prometheus ${topology.prometheusUrl}`);
console.log(`MCP        ${topology.url}\n\nCtrl-C ends all of it.`);
await stopped;
