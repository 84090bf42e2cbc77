import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../support/wire.js';
import { ShopTools } from './fixtures.js';
import { type Served, serve } from './served.js';

/**
 * The Inspector brings React, a terminal UI and a native key ring, so it has a package.json of its own beside this
 * file and stays out of the project's lock file.
 */
const CLI = fileURLToPath(
  new URL('./inspector/node_modules/@modelcontextprotocol/inspector/clients/cli/build/index.js', import.meta.url),
);
const missing = !existsSync(CLI);
const why = missing ? ' (NOT RUN: npm ci --prefix test/e2e/clients/inspector --ignore-scripts)' : '';

describe.each(['modern', 'legacy'])(`MCP Inspector, command line, era %s${why}`, (era) => {
  let served: Served;
  let home: string;

  beforeAll(async () => {
    served = await serve([ShopTools]);
    home = await mkdtemp(join(tmpdir(), 'inspector-'));
  });
  afterAll(async () => {
    await served[Symbol.asyncDispose]();
    await rm(home, { recursive: true });
  });

  /** What it prints; an exit code other than 0 rejects. */
  async function inspect(method: string, ...options: string[]): Promise<Json> {
    const given = [served.url, '--transport', 'http', '--protocol-era', era, '--format', 'json', '--method', method];
    const { stdout } = await promisify(execFile)(process.execPath, [realpathSync(CLI), ...given, ...options], {
      env: { PATH: process.env['PATH'], HOME: home },
      timeout: 50_000,
    });
    return (JSON.parse(stdout) as { result: Json }).result;
  }

  it.skipIf(missing)('lists tools', async () => {
    const { tools } = await inspect('tools/list');

    expect((tools as Json[]).map(({ name }) => name)).toEqual([
      'break',
      'callBack',
      'confirm',
      'count',
      'haiku',
      'order',
      'pack',
      'refuse',
      'wait',
      'where',
    ]);
  });

  it.skipIf(missing)('calls a tool', async () => {
    const result = await inspect('tools/call', '--tool-name', 'order', '--tool-arg', 'orderId=ORD-001', 'pieces=2');

    expect(result).toMatchObject({ structuredContent: { orderId: 'ORD-001', total: 500 } });
  });

  it.skipIf(missing)('lists resources', async () => {
    expect(await inspect('resources/list')).toMatchObject({ resources: [{ uri: 'shop://terms' }] });
  });

  it.skipIf(missing)('reads a resource', async () => {
    expect(await inspect('resources/read', '--uri', 'shop://terms')).toMatchObject({ contents: [{ text: '# Terms' }] });
  });

  it.skipIf(missing)('lists prompts', async () => {
    expect(await inspect('prompts/list')).toMatchObject({ prompts: [{ name: 'review' }] });
  });
});
