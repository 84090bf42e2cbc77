import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART } from './chart.js';

/** Every problem that the templates know to name, as a pattern of what they say of it. */
export function documentedRefusals(): { readonly text: string; readonly pattern: RegExp }[] {
  const source = readFileSync(join(CHART, 'templates/_validate.tpl'), 'utf8');
  return [...source.matchAll(/append \$problems \(?(?:printf )?"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => ({
    text,
    pattern: new RegExp(
      `^${text
        .split(/%[sdq]/)
        .map(escaped)
        .join('.*')}$`,
      's',
    ),
  }));
}

/** The problems in what rendering failed with; undefined if it is no such list. */
export function problemsIn(error: string): string[] | undefined {
  const list = /The values are not usable:\n {2}- (.*?)\n*$/s.exec(error)?.[1];
  return list?.split('\n  - ');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
