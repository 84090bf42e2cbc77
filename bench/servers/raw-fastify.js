/** What everything is compared with: a JSON route of Fastify, as its guide has it. With LIST_FILE it sends those bytes. */
import { readFileSync } from 'node:fs';
import { fastify } from 'fastify';
import { PORT } from './forecast.js';
import { rawAnswer } from './raw-answer.js';

const app = fastify();
const list = process.env.LIST_FILE && readFileSync(process.env.LIST_FILE, 'utf8');
if (list) {
  const [before, after] = list.split('%ID%');
  app.post('/mcp', ({ body }, reply) => {
    reply.type('application/json').send(before + body.id + after);
  });
} else {
  app.post('/mcp', ({ body }) => rawAnswer(body));
}
await app.listen({ port: PORT, host: '127.0.0.1' });
