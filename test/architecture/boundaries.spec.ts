import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** What each rule is there to stop: one file that breaks it, and the line it breaks it with. */
const violations: readonly (readonly [rule: string, file: string, code: string])[] = [
  ['layer-main', 'main.ts', "import './mcp/registry/registry.js';"],
  ['layer-stdio', 'stdio.ts', "import './mcp/transport/stdio/wire.js';"],
  ['layer-app', 'app/reaches-inside.ts', "import '../mcp/dispatch/dispatcher.js';"],
  ['layer-app', 'app/takes-the-key-library.ts', "import 'jose';"],
  ['layer-tools', 'tools/reaches-inside.ts', "import '../mcp/decorators/tool.js';"],
  ['layer-tools', 'tools/knows-the-app.ts', "import '../app/config.js';"],
  ['layer-tools', 'tools/knows-the-server.ts', "import 'fastify';"],
  ['layer-testing-entry', 'testing.ts', "import './mcp/registry/registry.js';"],
  ['layer-index', 'index.ts', "import './mcp/testing/client.js';"],
  ['layer-testing', 'mcp/testing/knows-the-app.ts', "import '../../app/config.js';"],
  ['layer-module', 'mcp/knows-the-tools.module.ts', "import '../tools/orders.js';"],
  ['layer-transport', 'mcp/transport/knows-a-wire.ts', "import './http/wire.js';"],
  ['layer-transport-http', 'mcp/transport/http/knows-stdio.ts', "import '../stdio/wire.js';"],
  ['layer-transport-http', 'mcp/transport/http/knows-decorators.ts', "import '../../decorators/tool.js';"],
  ['layer-transport-http', 'mcp/transport/http/knows-schema.ts', "import '../../schema/compile.js';"],
  ['layer-transport-stdio', 'mcp/transport/stdio/knows-http.ts', "import '../http/wire.js';"],
  ['layer-transport-stdio', 'mcp/transport/stdio/takes-fastify.ts', "import 'fastify';"],
  ['layer-transport-stdio', 'mcp/transport/stdio/knows-the-module.ts', "import '../../mcp.module.js';"],
  ['layer-dispatch', 'mcp/dispatch/knows-a-wire.ts', "import '../transport/http/wire.js';"],
  ['layer-dispatch', 'mcp/dispatch/knows-an-adapter.ts', "import '../session/memory.js';"],
  ['layer-dispatch', 'mcp/dispatch/takes-a-validator.ts', "import 'class-validator';"],
  ['layer-healthcheck', 'healthcheck.ts', "import './app/config.js';"],
  ['layer-audit-verify', 'audit-verify.ts', "import './mcp/registry/registry.js';"],
  ['layer-policy', 'mcp/policy/knows-dispatch.ts', "import '../dispatch/dispatcher.js';"],
  ['layer-policy', 'mcp/policy/knows-auth.ts', "import '../auth/authenticator.port.js';"],
  ['layer-limits', 'mcp/limits/knows-the-registry.ts', "import '../registry/registry.js';"],
  ['layer-limits', 'mcp/limits/knows-an-adapter.ts', "import '../session/memory.js';"],
  ['layer-audit', 'mcp/audit/knows-dispatch.ts', "import '../dispatch/dispatcher.js';"],
  ['layer-auth', 'mcp/auth/knows-policy.ts', "import '../policy/access-control.js';"],
  ['layer-session', 'mcp/session/knows-call-limits.ts', "import '../limits/call-limits.js';"],
  ['layer-registry', 'mcp/registry/knows-dispatch.ts', "import type { Dispatcher } from '../dispatch/dispatcher.js';"],
  ['layer-registry', 'mcp/registry/knows-the-mailbox.ts', "import '../session/mailbox.port.js';"],
  ['layer-decorators', 'mcp/decorators/knows-the-registry.ts', "import '../registry/registry.js';"],
  ['layer-decorators', 'mcp/decorators/reads-files.ts', "import 'node:fs';"],
  ['layer-schema', 'mcp/schema/knows-decorators.ts', "import '../decorators/tool.js';"],
  ['layer-session', 'mcp/session/knows-the-registry.ts', "import '../registry/registry.js';"],
  ['layer-health', 'mcp/health/knows-a-transport.ts', "import '../transport/http/wire.js';"],
  ['layer-health', 'mcp/health/knows-an-adapter.ts', "import '../session/memory.js';"],
  ['layer-auth', 'mcp/auth/knows-session.ts', "import '../session/mailbox.port.js';"],
  ['layer-observability', 'mcp/observability/knows-the-registry.ts', "import '../registry/registry.js';"],
  ['layer-metrics', 'mcp/observability/metrics/knows-testing.ts', "import '../../testing/client.js';"],
  ['layer-tracing', 'mcp/observability/tracing/knows-the-registry.ts', "import '../../registry/registry.js';"],
  ['layer-protocol', 'mcp/protocol/knows-session.ts', "import type { Mailbox } from '../session/mailbox.port.js';"],
  ['layer-protocol', 'mcp/protocol/knows-nest.ts', "import '@nestjs/common';"],
  ['layer-protocol', 'mcp/protocol/reads-keys.ts', "import 'node:crypto';"],
  ['no-unlisted-folder', 'mcp/billing/invoice.ts', "import '../protocol/errors.js';"],
  [
    'protocol-takes-only-types',
    'mcp/protocol/runs-the-sdk.ts',
    "import { Server } from '@modelcontextprotocol/server';",
  ],
  ['decorators-take-only-types-of-schema', 'mcp/decorators/compiles.ts', "import '../schema/compile.js';"],
  ['no-barrel-inside', 'mcp/registry/takes-the-barrel.spec.ts', "import '../../index.js';"],
  ['no-import-of-a-spec', 'mcp/registry/shares.spec.ts', "import './registry.spec.js';"],
  ['no-dev-dependency', 'mcp/testing/takes-a-dev-dependency.ts', "import '@modelcontextprotocol/client';"],
  ['no-unresolvable', 'mcp/registry/guesses.ts', "import './no-such-file.js';"],
  ['no-circular', 'mcp/registry/egg.ts', "import type { Hen } from './hen.js'; export type Egg = Hen;"],
];

/** What the rules must let through, and what the violations above point at. */
const allowed: Readonly<Record<string, string>> = {
  'app/config.ts': "import '../index.js'; import '../tools/orders.js'; import 'fastify'; import 'node:process';",
  'tools/orders.ts': "import '../index.js'; import 'class-validator';",
  'mcp/testing/client.ts': "import '../mcp.module.js'; import '../registry/registry.js';",
  'mcp/mcp.module.ts': "import './transport/http/wire.js'; import '@nestjs/common';",
  'mcp/transport/wire.ts': "import '../dispatch/dispatcher.js';",
  'mcp/auth/authenticator.port.ts': "import '../protocol/errors.js';",
  'mcp/transport/http/wire.ts':
    "import '../wire.js'; import '../../auth/authenticator.port.js'; import '../../session/memory.js'; import 'fastify';",
  'mcp/mcp.providers.ts': "import './transport/http/wire.js';",
  'mcp/transport/stdio/wire.ts':
    "import '../wire.js'; import '../../protocol/errors.js'; import '../../mcp.providers.js';",
  'mcp/dispatch/dispatcher.ts':
    "import '../registry/registry.js'; import '../session/mailbox.port.js'; import 'node:crypto'; import 'jose'; export class Dispatcher {}",
  'mcp/policy/access-control.ts': "import '../protocol/errors.js'; import '@nestjs/common';",
  'mcp/limits/call-limits.ts':
    "import '../decorators/tool.js'; import './token-buckets.port.js'; import 'node:crypto';",
  'mcp/limits/token-buckets.port.ts': 'export interface TokenBuckets {}',
  'mcp/audit/audit-trail.ts': "import '../protocol/errors.js'; import 'node:crypto';",
  'mcp/registry/registry.ts': "import '../decorators/tool.js'; import '../session/change-bus.port.js';",
  'mcp/registry/registry.spec.ts': "import '../testing/client.js'; import 'vitest';",
  'mcp/registry/hen.ts': "import type { Egg } from './egg.js'; export interface Hen { egg: Egg }",
  'mcp/decorators/tool.ts':
    "import type { Compiled } from '../schema/compile.js'; import '../schema/api-field.decorator.js'; export type C = Compiled;",
  'mcp/schema/compile.ts': "import '../protocol/errors.js'; import 'class-validator'; export interface Compiled {}",
  'mcp/schema/api-field.decorator.ts': 'export {};',
  'mcp/session/memory.ts':
    "import './mailbox.port.js'; import '../limits/token-buckets.port.js'; import 'node:events';",
  'mcp/session/session-backend.ts': "import './mailbox.port.js';",
  'mcp/health/health.controller.ts': "import '../session/session-backend.js'; import '@nestjs/terminus';",
  'mcp/session/mailbox.port.ts': 'export interface Mailbox {}',
  'mcp/session/change-bus.port.ts': "import '../protocol/errors.js';",
  'mcp/protocol/errors.ts': "import type { Tool } from '@modelcontextprotocol/server'; export type T = Tool;",
};

describe('boundaries', () => {
  let rules: readonly string[];
  let tree: string;
  let found: readonly string[];

  beforeAll(async () => {
    const options = await extractOptions(join(root, '.dependency-cruiser.js'));
    rules = [...(options.ruleSet?.forbidden ?? [])].map((rule) => rule.name ?? 'unnamed');
    tree = await plant({ ...allowed, ...Object.fromEntries(violations.map(([, file, code]) => [file, code])) });
    found = await violationsIn(tree, options);
  });

  afterAll(() => rm(tree, { recursive: true, force: true }));

  it.each(violations)('%s goes red for %s', (rule, file) => {
    expect(found.filter((violation) => violation.endsWith(` src/${file}`))).toEqual([`${rule} src/${file}`]);
  });

  it('has a violation to show for every rule', () => {
    expect([...new Set(violations.map(([rule]) => rule))].sort()).toEqual([...rules].sort());
  });

  it('lets everything else through', () => {
    const planned = violations.map(([rule, file]) => `${rule} src/${file}`);

    expect(found.filter((violation) => !planned.includes(violation))).toEqual([]);
  });

  it('holds in the real tree', async () => {
    expect(await violationsIn(root, await extractOptions(join(root, '.dependency-cruiser.js')))).toEqual([]);
  });
});

/** A source tree of its own, with the packages of the real one. */
async function plant(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'rookery-boundaries-'));
  await Promise.all(
    ['node_modules', 'package.json', 'tsconfig.json'].map((name) => symlink(join(root, name), join(dir, name))),
  );
  for (const [file, code] of Object.entries(files)) {
    const path = join(dir, 'src', file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, code);
  }
  return dir;
}

async function violationsIn(baseDir: string, options: ICruiseOptions): Promise<readonly string[]> {
  const { output } = await cruise(
    ['src'],
    { ...options, baseDir },
    {},
    { tsConfig: extractTsConfig(join(root, 'tsconfig.json')) },
  );
  return (output as ICruiseResult).summary.violations.map(({ rule, from }) => `${rule.name} ${from}`).sort();
}
