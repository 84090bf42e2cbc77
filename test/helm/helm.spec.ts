import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { CHART, type Manifest } from './support/chart.js';
import { goldenText } from './support/golden.js';
import { INSTALLATIONS, installation } from './support/values-files.js';

const GOLDEN = join(import.meta.dirname, 'golden');

/** Neither npm nor Debian has helm, so nowhere must it be there. */
function hasHelm(): boolean {
  if (spawnSync('helm', ['version', '--short']).status === 0) return true;
  process.stderr.write('helm: not on the PATH, the suite is skipped. All others use a renderer of their own.\n');
  return false;
}

function helm(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('helm', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (error) throw error;
  if (status !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

/** Helm has an order of its own, by kind and with hooks last. */
const sections = (text: string): string[] =>
  text
    .split(/^---\n/m)
    .map((section) => section.trimEnd())
    .sort();

describe.skipIf(!hasHelm()).each(Object.keys(INSTALLATIONS))('helm, with the values %s', (name) => {
  let args: string[];
  beforeAll(() => {
    const { files = [], set = [] } = INSTALLATIONS[name] ?? {};
    args = [...files.flatMap((file) => ['-f', join(CHART, file)]), ...set.flatMap((each) => ['--set', each])];
  });

  it('finds nothing to say about the chart', () => {
    expect(helm('lint', '--strict', CHART, ...args)).toContain('0 chart(s) failed');
  });

  it('renders what is in the golden file', () => {
    const { release = '', namespace = '' } = installation({});
    const text = helm('template', release, CHART, '-n', namespace, '--kube-version', 'v1.31.0', ...args);
    const objects = parseAllDocuments(text, { uniqueKeys: true, version: '1.1' }).flatMap(
      (document) => (document.toJS() as Manifest | null) ?? [],
    );
    expect(sections(goldenText(objects))).toEqual(sections(readFileSync(join(GOLDEN, `${name}.yaml`), 'utf8')));
  });
});
