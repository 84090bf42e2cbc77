/**
 * fastmcp 4.x, by MODE: `stateless`, `session-json` and `session`. It serves revisions up to 2025-11-25. Pings, roots,
 * the health route and the log of every request are off, so that nothing runs beside the calls.
 */
import { FastMCP } from 'fastmcp';
import { z } from 'zod';
import { forecast, forecastSlowly, MODE, MORE_NAMES, PORT } from './forecast.js';
import { INPUT, OUTPUT } from './zod-schemas.js';

const silent = () => undefined;
const server = new FastMCP({
  name: 'bench',
  version: '1.0.0',
  health: { enabled: false },
  logger: { debug: silent, error: console.error, info: silent, log: silent, warn: console.warn },
  ping: { enabled: false },
  roots: { enabled: false },
});
const tool = { description: 'Forecast', parameters: z.object(INPUT), outputSchema: z.object(OUTPUT) };
for (const name of ['forecast', ...MORE_NAMES])
  server.addTool({ ...tool, name, execute: async (given) => forecast(given) });
server.addTool({
  ...tool,
  name: 'forecastSlowly',
  execute: async (given, { reportProgress }) => forecastSlowly(given, reportProgress),
});
await server.start({
  transportType: 'httpStream',
  httpStream: {
    port: PORT,
    host: '127.0.0.1',
    endpoint: '/mcp',
    stateless: MODE === 'stateless',
    enableJsonResponse: MODE !== 'session',
  },
});
