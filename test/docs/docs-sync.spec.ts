import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** What is committed or about to be; what .gitignore names is nobody's business. */
const files = execFileSync(
  'git',
  ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(root, file)));

const documents = files.filter((file) => /^(?:(?:README|CONTRIBUTING|SECURITY)\.md|docs\/.+\.md)$/.test(file));

describe('docs', () => {
  it.each(documents)('%s names only what exists', (file) => {
    expect(missingIn(file, read(file))).toEqual([]);
  });

  it('reports each kind of name that leads nowhere', () => {
    const text = [
      'Run `npm run no-such-script`, then `npm test`, and read `src/no-such-file.ts` and `test/<feature>/`.',
      'See [the guide](no-such-guide.md#start), [here](#below) and [the site](https://example.com/guide.md).',
      '```ts\nhandlers[0](notALink);\n```',
      '    npm run build && npm run nor-this-one',
    ].join('\n\n');

    expect(missingIn('docs/example.md', text)).toEqual([
      'npm run no-such-script',
      'npm run nor-this-one',
      'src/no-such-file.ts',
      'docs/no-such-guide.md',
    ]);
  });
});

describe('tracked files', () => {
  it('hold no registry address in a lock file', () => {
    const locks = files.filter((file) => /(?:^|\/)package-lock\.json$/.test(file));

    expect(locks.filter((file) => read(file).includes('"resolved": "http'))).toEqual([]);
  });

  it("hold no absolute path of somebody's machine", () => {
    const machinePath = /(?<![\w.~})\]/-])\/(?:(?:home|Users)\/(?!node\/)\w+|work(?:space)?|tmp\/[a-z]+_jobs)[./]/;

    expect(
      files
        .filter((file) => !file.endsWith('package-lock.json'))
        .flatMap((file) =>
          read(file)
            .split('\n')
            .map((line, index) => ({ line, at: `${file}:${index + 1}` })),
        )
        .filter(({ line }) => machinePath.test(line))
        .map(({ at }) => at),
    ).toEqual([]);
  });
});

/** Scripts, paths from the root and relative links that the text names and the project lacks. */
function missingIn(file: string, text: string): readonly string[] {
  const prose = text.replace(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, '');
  const all = (pattern: RegExp, within: string) => [...within.matchAll(pattern)].map(([, name = '']) => name);

  const commands = all(/\bnpm (run (?:--silent )?[\w:-]*\w|test|start)\b/g, text).map((command) =>
    command.replace('--silent ', ''),
  );
  const paths = all(/`((?:src|test|docs|helm|docker|bench|\.ci)\/[^`\s]*)`/g, text);
  const links = all(/\]\((?![a-z]+:|#)([^)\s#]+)/g, prose.replace(/`[^`\n]*`/g, ''));

  return [
    ...commands.filter((command) => !(command.replace('run ', '') in scripts)).map((command) => `npm ${command}`),
    ...[...paths.map(beforePlaceholder), ...links.map((link) => join(dirname(file), link))].filter(
      (path) => !existsSync(join(root, path)),
    ),
  ];
}

/** `test/e2e/<feature>` and `src/**` promise the folder only. */
function beforePlaceholder(path: string): string {
  const [fixed = ''] = path.split(/[<*{…]/);
  return fixed === path ? path : fixed.slice(0, fixed.lastIndexOf('/') + 1);
}
