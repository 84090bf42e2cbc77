import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CompiledServer } from '../../support/compiled-server.js';
import { type Json, Lines, request, stateless } from './stdio-channel.js';

/** Some tools, served as the platform serves its own. */
const FIXTURE = 'test/e2e/stdio/server.fixture.ts';

let compiled: CompiledServer;
beforeAll(() => {
  compiled = new CompiledServer([FIXTURE]);
});
afterAll(() => compiled[Symbol.dispose]());

/** A server in a process of its own. */
class ServerProcess {
  readonly lines: Lines;
  readonly log: Promise<string>;
  readonly exited: Promise<unknown[]>;

  constructor(
    script: string,
    private readonly child: ChildProcessWithoutNullStreams = spawn(process.execPath, [script]),
  ) {
    this.lines = new Lines(child.stdout);
    this.log = text(child.stderr);
    this.exited = once(child, 'close');
    child.stdin.on('error', () => undefined);
  }

  get process(): ChildProcessWithoutNullStreams {
    return this.child;
  }

  send(message: Json): void {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

const hang = stateless(1, 'tools/call', { name: 'hang' }, { progressToken: 'p' });

describe('the stdio process', () => {
  it('serves the platform and exits when its input ends', async () => {
    using server = new ServerProcess(compiled.script('src/stdio.ts'));

    server.send(stateless(1, 'server/discover'));
    const discovered = await server.lines.response(1);
    server.process.stdin.end();

    expect(discovered).toMatchObject({
      result: { _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'rookery' } } },
    });
    expect(await server.exited).toEqual([0, null]);
    expect(server.lines.all).toHaveLength(1);
  });

  it('writes nothing but messages to stdout, whatever is printed', async () => {
    using server = new ServerProcess(compiled.script(FIXTURE));

    server.send(stateless(1, 'tools/call', { name: 'noisy' }));
    await server.lines.response(1);
    server.process.stdin.end();
    await server.exited;

    expect(server.lines.messages).toMatchObject([{ jsonrpc: '2.0', id: 1, result: { content: [{ text: 'quiet' }] } }]);
    const log = await server.log;
    expect(log).toContain('printed while the application is loaded');
    expect(log).toContain('printed by console.log');
    expect(log).toContain("{ printed: 'by console.info' }");
    expect(log).toContain('printed by process.stdout');
  });

  it('writes the log of the server to stderr', async () => {
    using server = new ServerProcess(compiled.script(FIXTURE));

    server.send(stateless(1, 'tools/call', { name: 'noisy' }));
    await server.lines.response(1);
    server.process.stdin.end();
    await server.exited;

    expect(await server.log).toContain('logged by Nest');
    expect(await server.log).toContain('Starting Nest application');
    expect(server.lines.all).toHaveLength(1);
  });

  it('cancels what runs and exits at once when its input ends', async () => {
    using server = new ServerProcess(compiled.script(FIXTURE));

    server.send(hang);
    await server.lines.called('notifications/progress');
    server.process.stdin.end();

    expect(await server.exited).toEqual([0, null]);
    expect(await server.log).toContain('the call was aborted');
    expect(server.lines.all).toHaveLength(1);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('exits with 0 on %s', async (signal) => {
    using server = new ServerProcess(compiled.script('src/stdio.ts'));

    server.send(stateless('sub', 'subscriptions/listen', { notifications: { toolsListChanged: true } }));
    await server.lines.called('notifications/subscriptions/acknowledged');
    server.process.kill(signal);

    expect(await server.exited).toEqual([0, null]);
    expect(server.lines.messages.slice(1)).toMatchObject([
      { id: 'sub', result: { resultType: 'complete' } },
      { method: 'notifications/cancelled', params: { requestId: 'sub' } },
    ]);
  });

  it('exits quietly when its reader goes away', async () => {
    using server = new ServerProcess(compiled.script(FIXTURE));

    server.send(hang);
    await server.lines.called('notifications/progress');
    server.process.stdout.destroy();
    server.send(request(2, 'ping'));

    expect(await server.exited).toEqual([0, null]);
    expect(await server.log).not.toContain('EPIPE');
  });

  it('exits in time when its reader has stopped reading', async () => {
    using server = new ServerProcess(compiled.script(FIXTURE));
    server.send(request(0, 'ping'));
    await server.lines.response(0);
    server.process.stdout.pause();

    for (let id = 1; id < 20_000; id++) server.send(stateless(id, 'tools/list'));
    server.process.kill('SIGTERM');
    const exited = once(server.process, 'exit');

    expect(await exited).toEqual([0, null]);
  });
});
