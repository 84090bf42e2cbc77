/** The limit of the runtime: `node:http`, JSON in and out, and streams that are held open. */
import { createServer } from 'node:http';
import { Buffer } from 'node:buffer';
import { PORT } from './forecast.js';
import { rawAnswer } from './raw-answer.js';

createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    return void response.write(':\n\n');
  }
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const json = JSON.stringify(rawAnswer(JSON.parse(Buffer.concat(chunks).toString())));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) });
    response.end(json);
  });
}).listen(PORT, '127.0.0.1');
