import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isMap, parse, parseDocument } from 'yaml';
import { CHART } from './support/chart.js';
import { INSTALLATIONS } from './support/values-files.js';
import { valuesSchema } from './support/values-schema.js';
import type { Json } from './support/json.js';

const ROOT = resolve(CHART, '../..');
const SCRIPT = join(ROOT, 'scripts/helm-values.js');
const VALUES = readFileSync(join(CHART, 'values.yaml'), 'utf8');

/** Paths of all values, and whether a comment that begins with `# --` describes each, or a table it is in. */
function described(map: unknown, path: readonly string[] = [], inherited = false): [path: string, said: boolean][] {
  if (!isMap(map)) return [];
  return map.items.flatMap((pair, index) => {
    const { value: name, commentBefore } = pair.key as { value: string; commentBefore?: string };
    // The comment above the first key of a table belongs to the table.
    const above = commentBefore ?? (index === 0 ? map.commentBefore : undefined) ?? '';
    const said = inherited || /^ -- /m.test(above);
    const inside = described(pair.value, [...path, name], said);
    return inside.length > 0 ? inside : [[[...path, name].join('.'), said] as [string, boolean]];
  });
}

describe('the values of the chart', () => {
  it('have a comment each', () => {
    const all = described(parseDocument(VALUES).contents);
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(([, said]) => !said).map(([path]) => path)).toEqual([]);
  });

  it('are in the schema and nothing else is, on the top level', () => {
    // A parent chart adds `global`.
    const known = Object.keys(valuesSchema()['properties']).filter((name) => name !== 'global');
    expect(known.sort()).toEqual(Object.keys(parse(VALUES)).sort());
  });

  it.skipIf(!existsSync(SCRIPT))('are in the table of the README, as their comments say', () => {
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT, '--check'], { cwd: ROOT, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('have an installation here for each of their files', () => {
    const installed = Object.values(INSTALLATIONS).flatMap(({ files = [] }) => files);
    expect([...new Set(installed)].sort()).toEqual(
      readdirSync(CHART)
        .filter((file) => /^values-.*\.yaml$/.test(file))
        .sort(),
    );
  });
});

describe('the schema of the values', () => {
  /** Objects, by path, that would let a typo pass. */
  function open(schema: Json, path: string): string[] {
    const within = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => open(value, `${path}/${key}`));
    const isOpen = schema.properties !== undefined && schema.additionalProperties !== false;
    return [...(isOpen ? [path] : []), ...within, ...(schema.items ? open(schema.items, `${path}/*`) : [])];
  }

  it('refuses typos on every level that has keys of its own', () => {
    expect(open(valuesSchema(), '')).toEqual([]);
  });

  it('is of the draft that all versions of Helm 3 read', () => {
    expect(valuesSchema()['$schema']).toBe('http://json-schema.org/draft-07/schema#');
  });
});

describe('the version of the chart', () => {
  it('runs the version of the platform that it came with', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')).appVersion).toBe(version);
  });
});
