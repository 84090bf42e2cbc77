/**
 * @modelcontextprotocol/server 2.x as its serving guide has it: `createMcpHandler`, which takes a server for each request,
 * on `node:http`, with 2026-07-28 alone so that nothing is spent on telling the eras apart.
 */
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { forecast, forecastSlowly, MORE_NAMES, PORT } from './forecast.js';
import { INPUT, OUTPUT } from './zod-schemas.js';

const description = 'Forecast';
const inputSchema = z.object(INPUT);
const outputSchema = z.object(OUTPUT);

function answer(structuredContent) {
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}

const quickly = (given) => answer(forecast(given));

async function slowly(given, { mcpReq }) {
  const progressToken = mcpReq._meta?.progressToken;
  const report = (step) => mcpReq.notify({ method: 'notifications/progress', params: { progressToken, ...step } });
  return answer(await forecastSlowly(given, report));
}

const handler = createMcpHandler(
  () => {
    const server = new McpServer({ name: 'bench', version: '1.0.0' });
    const config = { description, inputSchema, outputSchema };
    for (const name of ['forecast', ...MORE_NAMES]) server.registerTool(name, config, quickly);
    server.registerTool('forecastSlowly', config, slowly);
    return server;
  },
  { legacy: 'reject', maxSubscriptions: 20_000 },
);
createServer(toNodeHandler(handler)).listen(PORT, '127.0.0.1');
