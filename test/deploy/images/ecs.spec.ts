import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { CONFIG_SCHEMA, readConfig } from '../../../src/app/config.js';

const guide = readFileSync(resolve(import.meta.dirname, '../../../docs/deployment.md'), 'utf8');
const [, json = ''] = /```json\n([\s\S]*?)```/.exec(guide) ?? [];

/** The longest that Fargate waits. */
const LONGEST_STOP_SECONDS = 120;

it('shows a task definition for ECS that is JSON, hardened, and leaves time to stop', () => {
  const [container] = JSON.parse(json).containerDefinitions;
  const pairs: { name: string; value?: string }[] = [...container.environment, ...container.secrets];
  const config = readConfig(Object.fromEntries(container.environment.map(({ name, value }: never) => [name, value])));

  expect(pairs.map(({ name }) => name).filter((name) => !(name in CONFIG_SCHEMA.shape))).toEqual([]);
  expect(container).toMatchObject({ user: '1000:1000', readonlyRootFilesystem: true });
  expect(container.image).toMatch(/:\d+\.\d+\.\d+$/);
  expect(config.MCP_DRAIN_GRACE_MS - config.MCP_DRAIN_DELAY_MS).toBeGreaterThanOrEqual(config.MCP_CALL_TIMEOUT_MS);
  expect(container.stopTimeout * 1000).toBeGreaterThanOrEqual(config.MCP_DRAIN_GRACE_MS + 5_000);
  expect(container.stopTimeout).toBeLessThanOrEqual(LONGEST_STOP_SECONDS);
});
