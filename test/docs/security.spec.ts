import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { testTitles } from '../requirements/test-titles.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/security.md`, 'utf8');

/** Tests that the page names: `file`: *title*. */
const named = [...page.matchAll(/`([^`]+\.(?:spec|contract)\.ts)`: \*([^*]+)\*/g)].map(([, file = '', title = '']) => ({
  file,
  title,
}));

it('docs/security.md names tests that exist', () => {
  const titles = new Map<string, ReadonlySet<string>>();
  const titlesOf = (file: string): ReadonlySet<string> => {
    const known = titles.get(file) ?? testTitles(existsSync(root + file) ? readFileSync(root + file, 'utf8') : '');
    titles.set(file, known);
    return known;
  };

  expect(named.length).toBeGreaterThan(100);
  expect(named.filter(({ file, title }) => !titlesOf(file).has(title))).toEqual([]);
});

it('docs/security.md leaves nothing to be done', () => {
  expect(page).not.toContain('TODO');
});
