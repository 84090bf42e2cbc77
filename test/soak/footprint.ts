import 'reflect-metadata';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { EventLog, McpModule, SessionStore } from '../../src/index.js';
import { startRedisServer } from '../support/redis/redis-server.js';

/*
 * Prints what sessions and streams cost: `npm run footprint`. The process serves; a child opens the GET streams, so that
 * its own sockets are not counted.
 */

const SESSIONS = 5_000;
const LOGGED_STREAMS = 1_000;
const EVENTS = 20;
const OPEN_STREAMS = 2_000;

if (process.argv[2] === 'clients') await openStreams(process.argv[3] ?? '', OPEN_STREAMS);
else await measure();

async function measure(): Promise<void> {
  const server = await startRedisServer();
  const redis = new Redis(server.url);
  const http = { maxStreams: 1_000_000 };
  const sessions = { store: { maxSessions: 1_000_000 } };
  @Module({ imports: [McpModule.forRoot({ redis: { url: server.url }, http, sessions })] })
  class Footprint {}
  const app = await NestFactory.create<NestFastifyApplication>(Footprint, new FastifyAdapter(), { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const store = app.get<SessionStore>(SessionStore);
  const events = app.get<EventLog>(EventLog);

  const empty = await usedBy(redis);
  for (let i = 0; i < SESSIONS; i += 1) await store.create(record(i));
  const withSessions = await usedBy(redis);
  print('Redis, an idle session', (withSessions - empty) / SESSIONS);

  const event = JSON.stringify({
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: { progressToken: 1, progress: 1 },
  });
  for (let stream = 0; stream < LOGGED_STREAMS; stream += 1) {
    for (let i = 0; i < EVENTS; i += 1)
      await events.append(`session-${stream}`, `stream-${stream}`, event, i === EVENTS - 1);
  }
  print(
    `Redis, a stream of ${EVENTS} events of ${event.length} bytes`,
    ((await usedBy(redis)) - withSessions) / LOGGED_STREAMS,
  );

  const before = await settled();
  const redisBefore = await usedBy(redis);
  const clients = fork(fileURLToPath(import.meta.url), ['clients', `${await app.getUrl()}/mcp`]);
  await once(clients, 'message');
  const after = await settled();
  print('Redis, a session that holds a GET stream open', ((await usedBy(redis)) - redisBefore) / OPEN_STREAMS);
  print('process, heap of an open GET stream', (after.heapUsed - before.heapUsed) / OPEN_STREAMS);
  print('process, resident memory of an open GET stream', (after.rss - before.rss) / OPEN_STREAMS);

  await stopped(clients);
  await app.close();
  redis.disconnect();
  await server.close();
}

function record(number: number): Parameters<SessionStore['create']>[0] {
  return {
    id: `session-${number}`,
    owner: `["https://idp.example.com","user-${number % 100}","client",null]`,
    revision: '2025-11-25',
    clientInfo: { name: 'example-client', version: '1.0.0' },
    clientCapabilities: { elicitation: {}, sampling: {}, roots: { listChanged: true } },
    logLevel: undefined,
    subscriptions: [],
    seen: '12345-123456789012345',
    createdAt: Date.now(),
  };
}

async function usedBy(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
}

/** What the process uses once nothing is left to be collected. */
async function settled(): Promise<NodeJS.MemoryUsage> {
  if (!global.gc) throw new Error('Run it with node --expose-gc.');
  for (let i = 0; i < 5; i += 1) {
    global.gc();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return process.memoryUsage();
}

function print(what: string, bytes: number): void {
  console.log(`${what.padEnd(60)} ${Math.round(bytes).toLocaleString('en')} bytes`);
}

async function stopped(clients: ChildProcess): Promise<void> {
  const exited = once(clients, 'exit');
  clients.kill();
  await exited;
}

async function openStreams(url: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await openStream(url);
  process.send?.('open');
}

async function openStream(url: string): Promise<void> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'example-client', version: '1.0.0' },
  };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  });
  await response.text();
  const sessionId = response.headers.get('mcp-session-id') ?? '';
  const stream = request(url, { headers: { accept: 'text/event-stream', 'mcp-session-id': sessionId }, agent: false });
  stream.end();
  const [opened] = (await once(stream, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  if (opened.statusCode !== 200) throw new Error(`GET answered ${opened.statusCode}.`);
  await once(opened, 'data');
}
