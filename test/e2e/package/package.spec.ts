import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CONSUMER = fileURLToPath(new URL('consumer', import.meta.url));
const INSTALL_MS = 240_000;

type Manifest = Record<'dependencies' | 'devDependencies' | 'peerDependencies', Record<string, string>>;

/** @throws Error with everything the command printed */
function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
  return stdout;
}

/** A project of somebody else: outside of this repository, with the packed package and its peers. */
function installConsumer(folder: string): void {
  const packed = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], ROOT)) as {
    filename: string;
  }[];
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  cpSync(CONSUMER, join(folder, 'src'), { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({
      name: 'consumer',
      private: true,
      type: 'module',
      dependencies: {
        ...manifest.peerDependencies,
        rookery: `file:${packed[0]?.filename ?? ''}`,
        zod: manifest.dependencies['zod'],
        '@nestjs/testing': manifest.devDependencies['@nestjs/testing'],
        typescript: manifest.devDependencies['typescript'],
        '@types/node': manifest.devDependencies['@types/node'],
      },
    }),
  );
  const compilerOptions = {
    target: 'ES2023',
    lib: ['ES2023', 'ESNext.Disposable'],
    module: 'NodeNext',
    strict: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    skipLibCheck: true,
    types: ['node'],
    rootDir: 'src',
    outDir: 'dist',
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel', 'error'], folder);
  run('npx', ['tsc'], folder);
}

describe('the packed package in a project of its own', () => {
  let folder: string;
  let server: ChildProcess | undefined;
  let url: URL;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rookery-consumer-'));
    installConsumer(folder);
    server = spawn(process.execPath, ['dist/main.js'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    url = new URL(line.toString().trim());
  }, INSTALL_MS);

  afterAll(async () => {
    if (server?.exitCode === null) {
      server.kill();
      await once(server, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const accept = () => ({ action: 'accept' as const, content: { confirmed: true } });
  const connect = {
    'the SDK v2 client': async () => {
      const client = new Client(
        { name: 'c', version: '1' },
        { capabilities: { elicitation: {} }, versionNegotiation: { mode: 'auto' } },
      );
      client.setRequestHandler('elicitation/create', accept);
      await client.connect(new StreamableHTTPClientTransport(url));
      return client;
    },
    'the SDK v1 client': async () => {
      const client = new V1Client({ name: 'c', version: '1' }, { capabilities: { elicitation: {} } });
      client.setRequestHandler(ElicitRequestSchema, accept);
      await client.connect(new V1Transport(url));
      return client;
    },
  };

  it.each(Object.entries(connect))(
    'serves a DTO tool, a Zod tool, a resource template and a prompt to %s',
    async (_name, open) => {
      const client = await open();

      const refund = await client.callTool({
        name: 'refundOrder',
        arguments: { orderId: 'ORD-000123', amountCents: 100 },
      });
      const found = await client.callTool({ name: 'findOrders', arguments: { text: 'tea' } });
      const order = await client.readResource({ uri: 'orders://ORD-000123' });
      const prompt = await client.getPrompt({ name: 'reviewOrder', arguments: { tone: 'kind' } });
      await client.close();

      expect(refund.structuredContent).toEqual({ refunded: 100 });
      expect(found.content).toEqual([{ type: 'text', text: '["ORD-000123 tea"]' }]);
      expect(order.contents).toMatchObject([{ text: '{"orderId":"ORD-000123","totalCents":4200}' }]);
      expect(prompt.messages).toMatchObject([{ content: { text: 'Review the order in a kind tone.' } }]);
    },
  );

  it('offers its test kit', () => {
    const output = run(process.execPath, ['dist/kit.js'], folder);

    const results = JSON.parse(output.slice(output.indexOf('[{'))) as { structuredContent: unknown }[];
    expect(results.map(({ structuredContent }) => structuredContent)).toEqual([{ refunded: 4200 }, { refunded: 4200 }]);
  });
});
