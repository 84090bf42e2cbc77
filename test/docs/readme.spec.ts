import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppModule } from '../../src/app/app.module.js';
import { readConfig } from '../../src/app/config.js';
import { type McpTestApp, createMcpTestApp } from '../../src/testing.js';
import { DiceModule } from './dice.module.js';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
/** Inside node_modules, so that what the example imports is found. */
const SCRATCH = fileURLToPath(new URL('../../node_modules/.cache/readme', import.meta.url));

/** The fenced block behind a marker comment. */
function block(marker: string): string {
  const match = new RegExp(`<!-- ${marker} -->\\s+\`\`\`\\w+\\n([\\s\\S]*?)\\n\`\`\``).exec(README);
  if (!match?.[1]) throw new Error(`README.md has no block marked "${marker}".`);
  return match[1];
}

describe('README', () => {
  let app: McpTestApp;

  beforeAll(async () => {
    app = await createMcpTestApp(AppModule.forRoot(readConfig({})));
    mkdirSync(SCRATCH, { recursive: true });
  });
  afterAll(async () => {
    await app.close();
    rmSync(SCRATCH, { recursive: true, force: true });
  });

  const here = (text: string): string => text.replaceAll('http://127.0.0.1:3000/mcp', app.url);

  it('shows what curl prints', async () => {
    const output = await printed('bash', ['-c', here(block('run: curl'))]);

    expect(JSON.parse(output)).toEqual(JSON.parse(block('output: curl')));
  });

  it('shows what the SDK client prints', async () => {
    writeFileSync(`${SCRATCH}/client.mjs`, here(block('run: client')));

    const output = await printed(process.execPath, [`${SCRATCH}/client.mjs`]);

    expect(output).toBe(block('output: client'));
  });

  it('shows a tool that works as it stands', async () => {
    const source = readFileSync(new URL('dice.module.ts', import.meta.url), 'utf8');
    expect(README).toContain(source.replace("'../../src/index.js'", "'../../index.js'"));
    await using dice = await createMcpTestApp(DiceModule);

    const { content } = await dice.client({ era: 'stateless' }).call('rollDice', {});

    expect(content).toMatchObject([{ text: expect.stringMatching(/^You rolled a [1-6]\.$/) as string }]);
  });
});

/** Runs beside this process, which has to answer the example's requests meanwhile. */
async function printed(command: string, args: string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  return output.trim();
}
