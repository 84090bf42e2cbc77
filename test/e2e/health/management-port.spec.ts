import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { Injectable, Logger, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { GracefulStop, ManagementRoutes, McpHealthModule, McpMetricsModule, McpModule } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';

afterEach(() => vi.restoreAllMocks());

/** An application whose health is on a port of its own. */
async function boot(http = {}): Promise<{ app: McpTestApp; management: string }> {
  const port = await freePort();
  const options = { management: { port }, http };
  const app = await createMcpTestApp([McpModule.forRoot(options), McpHealthModule, McpMetricsModule.forRoot()], {
    options,
    logger: false,
  });
  return { app, management: `http://127.0.0.1:${port}` };
}

/** The status line and headers of the answer to a request as it stands. */
async function raw(url: string, head: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(head.replaceAll('\n', '\r\n'));
  return text(socket);
}

describe('with a management port', () => {
  it('health and metrics are there, and not on the port of the application', async () => {
    const { app, management } = await boot();
    await using _ = app;
    const paths = ['/health', '/health/live', '/health/ready', '/health/startup', '/metrics'];

    const there = await Promise.all(paths.map(async (path) => (await fetch(management + path)).status));
    const here = await Promise.all(paths.map(async (path) => fetch(new URL(path, app.url))));

    expect(there).toEqual([200, 200, 200, 200, 200]);
    expect(here.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    expect(await here[1]?.json()).toEqual({ message: 'Cannot GET /health/live', error: 'Not Found', statusCode: 404 });
  });

  it.each([
    ['GET /mcp', 404],
    ['POST /mcp', 404],
    ['GET //health/live', 404],
    ['GET /health/../mcp', 404],
    ['GET /health/live/..%2f..%2fmcp', 404],
    ['GET /%68ealth/live', 404],
    ['GET /HEALTH/live', 404],
    ['GET /health/live/', 404],
    ['GET http://127.0.0.1/mcp', 404],
    ['OPTIONS *', 404],
    ['POST /health/live', 405],
    ['GET /health/live?path=/mcp', 200],
    ['HEAD /health/live', 200],
  ])('%s on it is answered with %i', async (line, status) => {
    const { app, management } = await boot();
    await using _ = app;

    const answer = await raw(management, `${line} HTTP/1.1\nHost: 10.1.2.3\nConnection: close\nContent-Length: 0\n\n`);

    expect(answer.split('\r\n', 1)).toEqual([expect.stringContaining(`HTTP/1.1 ${status} `)]);
    expect(answer).not.toMatch(/jsonrpc|mcp-session-id/i);
  });

  it.each(['/%68ealth/live', '//health/live', '/health/live/', '/HEALTH/live', '/health?x=1'])(
    'the port of the application answers %s with 404',
    async (path) => {
      const { app } = await boot();
      await using _ = app;

      const answer = await raw(app.url, `GET ${path} HTTP/1.1\nHost: localhost\nConnection: close\n\n`);

      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    },
  );

  it('health can be asked while the server stops, and until it has closed', async () => {
    const { app, management } = await boot({ drainDelayMs: 200 });
    const drained = app.get(GracefulStop).drain();

    const ready = await fetch(`${management}/health/ready`);
    const live = await fetch(`${management}/health/live`);
    const startup = await fetch(`${management}/health/startup`);
    const metrics = await fetch(`${management}/metrics`);
    await drained;
    await app.close();

    expect([ready, live, startup, metrics].map(({ status }) => status)).toEqual([503, 200, 200, 200]);
    expect(await metrics.text()).toMatch(/^mcp_server_draining 1$/m);
    expect(await ready.json()).toMatchObject({ details: { server: { message: 'The server is stopping.' } } });
    await expect(fetch(`${management}/health/live`)).rejects.toThrow();
  });

  it('a connection that is kept alive does not hold up the end', async () => {
    const { app, management } = await boot();
    const { hostname, port } = new URL(management);
    const socket = connect(Number(port), hostname);
    socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');

    await app.close();

    if (!socket.closed) await once(socket, 'close');
  });

  it('a port that is taken is said to be, and nothing stays open', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;

    const start = createMcpTestApp(McpModule.forRoot({ management: { port } }), { logger: false });

    await expect(start).rejects.toThrow(`The management port ${port} of 127.0.0.1 cannot be listened on (EADDRINUSE).`);
  });

  it('whoever sends on without reading is cut off, and what it asked for was looked up once', async () => {
    const { app, management } = await boot();
    await using _ = app;
    const looked = vi.fn(async () => ({ status: 200, body: await new Promise<string>(() => undefined) }));
    app.get(ManagementRoutes).add('/slow', looked);
    const { hostname, port } = new URL(management);
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200));

    await once(socket, 'close');

    expect(looked).toHaveBeenCalledTimes(1);
    expect((await fetch(`${management}/health/live`)).status).toBe(200);
  });

  it('connections that only wait make room for others', async () => {
    const { app, management } = await boot();
    await using _ = app;
    const { hostname, port } = new URL(management);
    const closed = vi.fn();
    const idle = Array.from({ length: 101 }, () =>
      connect(Number(port), hostname)
        .on('close', closed)
        .on('error', () => undefined),
    );
    onTestFinished(() => idle.forEach((socket) => socket.destroy()));
    for (const socket of idle.slice(0, 100)) {
      socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(socket, 'data');
    }
    const late = connect(Number(port), hostname).on('error', () => undefined);
    onTestFinished(() => void late.destroy());

    // Long before they would be closed for being idle.
    await eventually(() => expect(closed).toHaveBeenCalled());
  });

  it('what fails there is masked, and logged', async () => {
    const logged = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    const { app, management } = await boot();
    await using _ = app;
    app.get(ManagementRoutes).add('/broken', () => Promise.reject(new Error('redis://admin:secret@cache')));

    const answer = await fetch(`${management}/broken`);

    expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('secret') as string]);
    expect(logged).toHaveBeenCalledWith('/broken could not be answered on the management port.', expect.any(Error));
  });

  it('says while the start goes on that nobody may be sent here yet', async () => {
    const port = await freePort();
    const asked: unknown[] = [];
    const ask = async (path: string): Promise<void> =>
      void asked.push([path, (await fetch(`http://127.0.0.1:${port}/health/${path}`)).status]);
    @Injectable()
    class SlowCatalogue implements OnApplicationBootstrap {
      async onApplicationBootstrap(): Promise<void> {
        await eventually(() => ask('live'));
        for (const path of ['ready', 'startup']) await ask(path);
      }
    }
    @Module({ providers: [SlowCatalogue] })
    class CatalogueModule {}
    const options = { management: { port } };

    await using _ = await createMcpTestApp([McpModule.forRoot(options), McpHealthModule, CatalogueModule], { options });
    await eventually(() => ask('startup').then(() => expect(asked.at(-1)).toEqual(['startup', 200])));
    await ask('ready');

    expect(asked.slice(0, 3)).toEqual([
      ['live', 200],
      ['ready', 503],
      ['startup', 503],
    ]);
    expect(asked.at(-1)).toEqual(['ready', 200]);
  });
});
