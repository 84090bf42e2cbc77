import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RedisConnection } from './redis-connection.js';

/** What a connection uses of a client. */
class FakeClient extends EventEmitter {
  status = 'wait';
  connects = 0;
  pings = 0;

  async connect(): Promise<void> {
    this.connects += 1;
    throw new Error('Connection is closed.');
  }

  async ping(): Promise<string> {
    this.pings += 1;
    throw new Error('Command timed out');
  }

  async quit(): Promise<void> {
    this.end();
  }

  disconnect(): void {
    this.end();
  }

  ready(): void {
    this.status = 'ready';
    this.emit('ready');
  }

  end(): void {
    this.status = 'end';
    this.emit('end');
  }
}

let client: FakeClient;
let connection: RedisConnection;
let random: number;

beforeEach(async () => {
  vi.useFakeTimers();
  random = 1;
  vi.spyOn(Math, 'random').mockImplementation(() => random);
  client = new FakeClient();
  connection = new RedisConnection(client as unknown as Redis, { heartbeatMs: 1_000 });
  await connection.connect();
});
afterEach(async () => {
  await connection.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Milliseconds until the client is connected again. */
async function retryAfter(): Promise<number> {
  const { connects } = client;
  const ended = performance.now();
  client.end();
  while (client.connects === connects) await vi.advanceTimersToNextTimerAsync();
  return performance.now() - ended;
}

describe('RedisConnection', () => {
  it('waits twice as long after each failure, and two seconds at most', async () => {
    const waits: number[] = [];
    for (let failure = 1; failure <= 8; failure += 1) waits.push(await retryAfter());
    expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
  });

  it('waits for a random part of that', async () => {
    random = 0.5;
    expect([await retryAfter(), await retryAfter()]).toEqual([25, 50]);
    random = 0;
    expect(await retryAfter()).toBeLessThanOrEqual(1);
  });

  it('starts over once a connection has lasted', async () => {
    for (let failure = 1; failure <= 3; failure += 1) await retryAfter();
    client.ready();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await retryAfter()).toBe(50);
  });

  it('does not start over for connections that are lost at once', async () => {
    const waits: number[] = [];
    for (let failure = 1; failure <= 4; failure += 1) {
      client.ready();
      waits.push(await retryAfter());
    }
    expect(waits).toEqual([50, 100, 200, 400]);
  });

  it('asks an idle connection for a sign of life, one that is not ready not', async () => {
    await vi.advanceTimersByTimeAsync(3_000);
    expect(client.pings).toBe(0);
    client.ready();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(client.pings).toBe(3);
  });

  it('does nothing any more once it is closed', async () => {
    client.end();
    await connection.close();
    await connection.connect();
    client.end();
    expect([client.connects, vi.getTimerCount()]).toEqual([1, 0]);
  });
});
