import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CompiledServer } from '../../support/compiled-server.js';

const FIXTURE = 'test/e2e/app/loaded-modules.fixture.ts';

let compiled: CompiledServer;
beforeAll(() => {
  compiled = new CompiledServer([FIXTURE]);
});
afterAll(() => compiled[Symbol.dispose]());

/** The packages and the files of ours that a start has loaded, until it serves. */
function loadedBy(env: Record<string, string> = {}) {
  const file = compiled.script('loaded.json');
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', compiled.script(FIXTURE), compiled.script('src/main.ts'), '--try'],
    { env: { PATH: process.env['PATH'], PORT: '0', LOG_LEVEL: 'silent', LOADED_FILE: file, ...env }, encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([0, '']);
  const urls = JSON.parse(readFileSync(file, 'utf8')) as string[];
  const found = (pattern: RegExp): string[] => [...new Set(urls.map((url) => pattern.exec(url)?.[1] ?? ''))];
  return {
    packages: found(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//),
    ours: found(/\/server-[^/]+\/src\/(.*)\.js$/),
  };
}

describe('a start', () => {
  it('loads nothing that only a setting needs', () => {
    const { packages, ours } = loadedBy();

    expect(packages).toEqual(expect.arrayContaining(['@nestjs/core', 'fastify', 'zod']));
    expect(ours).toEqual(expect.arrayContaining(['main', 'app/http', 'mcp/mcp.module']));
    const forSettings = /^(jose|ioredis|passport.*|@nestjs\/passport|oauth4webapi|pino-pretty|lodash\.merge)$/;
    expect(packages.filter((name) => forSettings.test(name) || /^@opentelemetry\/(?!api$)/.test(name))).toEqual([]);
    const ofSettings = /^mcp\/(audit\/audit-trail|auth\/oauth\.authenticator|session\/redis\/redis-session)$/;
    expect(ours.filter((name) => ofSettings.test(name))).toEqual([]);
  });

  it('loads what a setting asks for', () => {
    const { packages, ours } = loadedBy({ AUDIT_TO: 'stdout', LOG_FORMAT: 'pretty' });

    expect(ours).toContain('mcp/audit/audit-trail');
    expect(packages).toContain('pino-pretty');
  });
});
