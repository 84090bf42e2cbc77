import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CompiledServer } from '../../support/compiled-server.js';
import { WireSession, initialize, post, responseOf, sseMessages, statelessRequest } from '../../support/wire.js';
import { EventStream, resultFrame, textResult } from '../session/session-app.js';

const FIXTURE = 'test/e2e/stop/server.fixture.ts';
const LISTEN = { notifications: { toolsListChanged: true } };

let compiled: CompiledServer;
beforeAll(() => {
  compiled = new CompiledServer([FIXTURE]);
});
afterAll(() => compiled[Symbol.dispose]());

/** A server in a process of its own. */
class ServerProcess implements Disposable {
  /** Whatever it has printed. */
  log = '';
  url = '';
  readonly exited: Promise<unknown[]>;

  private constructor(private readonly child: ChildProcess) {
    for (const output of [child.stdout, child.stderr]) {
      output?.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    }
    this.exited = once(child, 'close');
  }

  static async start(source: string, env: Record<string, string> = {}): Promise<ServerProcess> {
    const child = spawn(process.execPath, [compiled.script(source)], {
      env: { ...process.env, PORT: '0', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ServerProcess(child);
    const read = (): string => (server.url = /MCP is served on ([^\s"]+)/.exec(server.log)?.[1] ?? '');
    await expect.poll(read).not.toBe('');
    return server;
  }

  get exitCode(): number | null {
    return this.child.exitCode;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The lines of its log that want attention. */
  get complaints(): string[] {
    return this.log.split('\n').filter((line) => /WARN|ERROR/.test(line));
  }

  /** Status of something beside the MCP endpoint. */
  async status(path: string): Promise<number> {
    return (await fetch(new URL(path, this.url))).status;
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

/** A call of a session that has begun to stream, and ends when `finish` is called. */
async function work(url: string): Promise<EventStream> {
  const session = await WireSession.open(url);
  const params = { name: 'work', _meta: { progressToken: 'p' } };
  const stream = await EventStream.open((signal) => session.request('tools/call', params, 1, signal));
  await stream.message();
  return stream;
}

/**
 * Whether the server keeps the connection after its answer; or that it takes no new one (the kernel resets what it had
 * accepted for a listener that closes); or what became of the request on one that was kept.
 */
function getOver(agent: Agent, url: URL): Promise<{ readonly isKept: boolean } | string> {
  return new Promise((resolve) => {
    const request = get(url, { agent }, (response) => {
      response.resume().once('end', () => resolve({ isKept: response.headers.connection !== 'close' }));
    });
    request.once('error', ({ code }: NodeJS.ErrnoException) => resolve(request.reusedSocket ? `${code}` : 'refused'));
  });
}

describe('a server process that gets SIGTERM', () => {
  it('ends streams, refuses sessions, lets calls finish, and exits with 0', async () => {
    using server = await ServerProcess.start(FIXTURE, { MCP_DRAIN_DELAY_MS: '5000' });
    const working = await work(server.url);
    const changes = await EventStream.listen(await WireSession.open(server.url));
    await changes.next();
    const listening = await statelessRequest(server.url, 'subscriptions/listen', LISTEN, { id: 'sub' });
    expect([await server.status('/health/live'), await server.status('/health/ready')]).toEqual([200, 200]);

    server.kill('SIGTERM');

    await expect.poll(() => server.status('/health/ready')).toBe(503);
    expect(await server.status('/health/live')).toBe(200);
    expect((await post(server.url, JSON.stringify(initialize('2025-11-25')))).status).toBe(503);
    expect(Number((await changes.next())?.retry)).toBeGreaterThanOrEqual(1_000);
    expect(await changes.next()).toBeUndefined();
    expect((await sseMessages(listening)).at(-1)).toMatchObject({ id: 'sub', result: { resultType: 'complete' } });
    await statelessRequest(server.url, 'tools/call', { name: 'finish' });
    expect(await working.messages()).toEqual([resultFrame(1, textResult('worked'))]);
    expect(await server.exited).toEqual([0, null]);
    expect(server.complaints).toEqual([expect.stringContaining('Not ready. server: The server is stopping.')]);
  });

  it('breaks off no request on a connection that is kept', async () => {
    using server = await ServerProcess.start(FIXTURE);
    const broken: unknown[] = [];
    const clients = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const running = clients.map(async (agent) => {
      for (let isKept = true; isKept;) {
        const outcome = await getOver(agent, new URL('/health/live', server.url));
        if (outcome === 'refused') return;
        if (typeof outcome !== 'string') isKept = outcome.isKept;
        else broken.push(outcome);
      }
    });

    server.kill('SIGTERM');

    await Promise.all(running);
    expect(broken).toEqual([]);
    expect(await server.exited).toEqual([0, null]);
  });

  it('stops calls that outlast the grace period with an error, and exits with 0', async () => {
    using server = await ServerProcess.start(FIXTURE, { MCP_DRAIN_GRACE_MS: '300' });
    const working = await work(server.url);
    const waiting = statelessRequest(server.url, 'tools/call', { name: 'work' }, { meta: { progressToken: 'p' } });
    const streaming = await waiting;

    server.kill('SIGTERM');

    const error = { code: 503, message: expect.stringMatching(/^The server is stopping\. /) };
    expect(await working.messages()).toEqual([{ jsonrpc: '2.0', id: 1, error }]);
    expect(await responseOf(streaming)).toEqual({ jsonrpc: '2.0', id: 1, error });
    expect(await server.exited).toEqual([0, null]);
    expect(server.log).toContain('Calls that were not done 300 ms after the stop began: 2. They were stopped.');
  });

  it('exits at once on a second signal', async () => {
    using server = await ServerProcess.start(FIXTURE);
    await work(server.url);

    server.kill('SIGTERM');
    await expect.poll(() => server.log).toContain('Stopping, because of SIGTERM.');
    expect(server.exitCode).toBe(null);
    const again = (): number | null => {
      server.kill('SIGINT');
      return server.exitCode;
    };

    await expect.poll(again).toBe(130);
  });
});

describe('the platform', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('serves its health, and exits with 0 on %s', async (signal) => {
    using server = await ServerProcess.start('src/main.ts');
    const listening = await statelessRequest(server.url, 'subscriptions/listen', LISTEN);
    expect([await server.status('/health/live'), await server.status('/health/ready')]).toEqual([200, 200]);

    server.kill(signal);

    expect((await sseMessages(listening)).at(-1)).toMatchObject({ result: { resultType: 'complete' } });
    expect(await server.exited).toEqual([0, null]);
  });
});
