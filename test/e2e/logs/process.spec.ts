import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CompiledServer } from '../../support/compiled-server.js';
import { statelessRequest } from '../../support/wire.js';

const FIXTURE = 'test/e2e/logs/crash.fixture.ts';
const MARK = 'Sup3rSecretMarker';
/** The machine that runs the tests may be busy. */
const START = { timeout: 90_000 };

let compiled: CompiledServer;
beforeAll(() => {
  compiled = new CompiledServer([FIXTURE]);
}, 120_000);
afterAll(() => compiled[Symbol.dispose]());

/** The platform in a process of its own. */
class Platform implements Disposable {
  stdout = '';
  stderr = '';
  readonly exited: Promise<unknown[]>;

  constructor(
    env: Record<string, string>,
    [script = 'src/main.ts', ...args]: string[] = [],
    readonly child: ChildProcess = spawn(process.execPath, [compiled.script(script), ...args], {
      env: { ...process.env, PORT: '0', ...env },
    }),
  ) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.exited = once(child, 'close');
  }

  get lines(): Record<string, unknown>[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** How many lines are missing, as a line says. */
  get lost(): number {
    const told = this.lines.filter(({ module }) => module === 'Log');
    return told.reduce((sum, { msg }) => sum + Number(/: (\d+) lines were lost/.exec(msg as string)?.[1]), 0);
  }

  async url(): Promise<string> {
    const read = (): string => /MCP is served on ([^\s"]+)/.exec(this.stdout)?.[1] ?? '';
    await expect.poll(read, START).not.toBe('');
    return read();
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

describe('the log of the platform', () => {
  it('is JSON from its first line to its last, and says nothing on stderr', async () => {
    using platform = new Platform({ OTEL_SERVICE_NAME: 'shop' });
    await statelessRequest(`${await platform.url()}?token=${MARK}`, 'tools/list');
    platform.child.kill('SIGTERM');

    expect(await platform.exited).toEqual([0, null]);
    expect(platform.stderr).toBe('');
    expect(platform.lines[0]).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      pid: platform.child.pid,
      hostname: expect.any(String) as string,
      service: 'shop',
      version: expect.any(String) as string,
      module: 'NestFactory',
      msg: 'Starting Nest application...',
    });
    expect(platform.lines).toContainEqual(expect.objectContaining({ module: 'Requests', msg: 'tools/list: ok' }));
    expect(platform.lines.at(-1)?.['msg']).toMatch(/^(Stopping, because of SIGTERM|Not ready)/);
    expect(platform.stdout).not.toContain(MARK);
  }, 120_000);

  it('costs the platform nothing when its reader goes away', async () => {
    using platform = new Platform({ LOG_LEVEL: 'trace' });
    const url = await platform.url();

    platform.child.stdout?.destroy();
    await statelessRequest(url, 'tools/list');

    expect((await statelessRequest(url, 'tools/list')).status).toBe(200);
    platform.child.kill('SIGTERM');
    expect(await platform.exited).toEqual([0, null]);
  }, 120_000);

  it('does not hold the platform up when its reader stands still', async () => {
    using platform = new Platform({ LIMIT_EVENT_LOOP_DELAY_MS: '0' });
    const url = await platform.url();

    platform.child.stdout?.pause();
    // Some 300 bytes each: more than the pipe holds, and the test, which reads ahead.
    for (let count = 0; count < 700; count += 50) {
      await Promise.all(Array.from({ length: 50 }, async () => (await statelessRequest(url, 'tools/list')).text()));
    }
    platform.child.stdout?.resume();
    platform.child.kill('SIGTERM');

    expect(await platform.exited).toEqual([0, null]);
    expect(platform.lines.filter(({ module }) => module === 'Requests').length + platform.lost).toBe(700);
  }, 120_000);
});

// Each of them is little more than a start.
describe.concurrent('the log of a process', () => {
  it('has the levels that it is given', async () => {
    using process = new Platform({ LOG_LEVEL: 'error', LOG_LEVELS: 'Other=info' }, [FIXTURE, 'throw']);
    await process.exited;

    expect(process.lines.map(({ module }) => module)).toEqual(['Rookery']);
  }, 120_000);

  it('is for people where it is told to be', async () => {
    const env = { LOG_FORMAT: 'pretty', NO_COLOR: '1', LOG_LEVELS: 'Fixture=warn' };
    using process = new Platform(env, [FIXTURE, 'throw']);
    await process.exited;

    expect(process.stdout).toMatch(
      /^\[\d\d:\d\d:\d\d\.\d{3}\] FATAL: \[Rookery\] The process ends, because of an error/m,
    );
    expect(process.stdout).not.toContain('\u001b');
  }, 120_000);

  it('says why the platform does not start, in the same form, and exits with 1', async () => {
    using platform = new Platform({ HOST: '0.0.0.0', LOG_LEVEL: 'loud', MCP_PATH: 'mcp' });

    expect(await platform.exited).toEqual([1, null]);
    expect(platform.stderr).toBe('');
    expect(platform.lines).toMatchObject([
      {
        level: 'fatal',
        module: 'Rookery',
        msg: expect.stringMatching(/The configuration is not usable:\n {2}LOG_LEVEL: .*\n {2}MCP_PATH: /) as string,
      },
    ]);
  }, 120_000);

  it('goes to stderr where stdout belongs to MCP', async () => {
    using platform = new Platform({ LOG_FORMAT: 'json' }, ['src/stdio.ts']);
    platform.child.stdin?.end();

    expect(await platform.exited).toEqual([0, null]);
    expect(platform.stdout).toBe('');
    expect(JSON.parse(platform.stderr.split('\n', 1)[0] ?? '')).toMatchObject({ msg: 'Starting Nest application...' });
  }, 120_000);

  it.each([
    ['throw', 1, ['TypeError', 'Bearer [redacted]']],
    ['reject', 1, ['Error', 'token=[redacted]']],
    ['exit', 3, undefined],
  ])(
    'says why the process ends by %s, and how many lines were not read in time',
    async (how, code, told) => {
      using process = new Platform({}, [FIXTURE, how]);

      expect(await process.exited).toEqual([code, null]);
      expect(process.lines.filter(({ module }) => module === 'Fixture').length + process.lost).toBe(2_000);
      const last = process.lines.at(-1) as { level: string; err?: { type: string; message: string } };
      if (told) expect([last.level, last.err?.type, last.err?.message]).toEqual(['fatal', ...told]);
      expect(process.stdout + process.stderr).not.toContain(MARK);
    },
    120_000,
  );
});
