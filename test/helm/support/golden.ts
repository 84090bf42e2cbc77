import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { CHART, type Manifest } from './chart.js';
import { titleOf } from './workloads.js';
import type { Json } from './json.js';

/**
 * Objects as a golden file has them: YAML that reads well, without what is random, and with a word in place of the files
 * that the chart only passes on.
 */
export function goldenText(objects: readonly Manifest[]): string {
  return objects
    .map(
      (object) =>
        `# ${titleOf(object)}\n${stringify(settled(object), { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false })}`,
    )
    .join('---\n');
}

function settled(object: Manifest): unknown {
  const copy: Json = structuredClone(object);
  if (copy.kind === 'Secret' && copy.data?.['redis-password']) copy.data['redis-password'] = '(random)';
  // What the chart makes of the rules is in monitoring.spec.ts.
  if (copy.kind === 'PrometheusRule' && copy.spec.groups.length > 1) copy.spec.groups = '(files/rules.yaml)';
  for (const [key, text] of Object.entries(copy.data ?? {})) {
    if (text === readFileSync(join(CHART, 'files/dashboard.json'), 'utf8')) copy.data[key] = '(files/dashboard.json)';
  }
  return copy;
}
