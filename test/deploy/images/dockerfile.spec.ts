import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The instructions of a Dockerfile, each on one line. */
function instructions(file: string): Instruction[] {
  const lines = read(file)
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '');
  return [...lines.matchAll(/^([A-Z]+) (.*)$/gm)].map(([, name = '', text = '']) => ({ name, text }));
}

/** Whether a path reaches the build: as Docker reads .dockerignore, the last line that matches it decides. */
function reaches(path: string): boolean {
  const rules = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const parents = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  return rules.reduce((reached, rule) => {
    const pattern = new RegExp(
      `^${rule
        .replace(/^!/, '')
        .replaceAll('.', '\\.')
        .replace(/(\*\*\/)|(\*)/g, (_, folders) => (folders ? '(?:.*/)?' : '[^/]*'))}$`,
    );
    return parents.some((parent) => pattern.test(parent)) ? rule.startsWith('!') : reached;
  }, true);
}

describe.each(['docker/Dockerfile', 'docker/Dockerfile.team'])('%s', (file) => {
  const all = instructions(file);
  const texts = (name: string) => all.filter((one) => one.name === name).map(({ text }) => text);
  const [version] = texts('ARG').filter((text) => text.startsWith('NODE_VERSION='));

  it('is on an exact version of the current Node LTS', () => {
    const froms = texts('FROM').map((text) => text.split(' ')[0]);

    expect(version).toMatch(/^NODE_VERSION=24\.\d+\.\d+$/);
    expect(new Set(froms)).toEqual(
      new Set(
        file.endsWith('team')
          ? ['node:${NODE_VERSION}-bookworm-slim', 'packages', '${RUNTIME}']
          : ['node:${NODE_VERSION}-bookworm-slim', 'packages', 'runtime', 'application'],
      ),
    );
  });

  it('installs what the lock file says, and for running no more than is needed to run', () => {
    const installs = texts('RUN').filter((text) => text.includes('npm ci'));

    expect(installs).toHaveLength(2);
    expect(installs.filter((text) => text.includes('--omit=dev'))).toHaveLength(1);
    expect(installs.filter((text) => !text.includes('--ignore-scripts'))).toEqual([]);
    expect(all.filter(({ text }) => /npm (i|install)\b/.test(text))).toEqual([]);
  });

  it('copies the packages before the sources, so that a change of these installs nothing', () => {
    const steps = all.map(({ name, text }) => `${name} ${text}`);
    const install = steps.findIndex((step) => step.includes('npm ci'));

    expect(steps.findIndex((step) => /^COPY package\.json package-lock\.json/.test(step))).toBeLessThan(install);
    expect(steps.findIndex((step) => /^COPY (src|\.) /.test(step))).toBeGreaterThan(install);
  });

  it('runs as a user that is a number, and says how it is', () => {
    expect(texts('USER').at(-1)).toBe('1000:1000');
    expect(texts('HEALTHCHECK').join()).toMatch(
      /CMD \["node", "(node_modules\/rookery\/)?dist\/healthcheck\.js", "live"\]/,
    );
  });

  it('keeps no secret, and fetches nothing but packages', () => {
    expect(texts('ADD')).toEqual([]);
    expect(all.filter(({ text }) => /curl|wget|https?:/.test(text))).toEqual([]);
    expect([...texts('ARG'), ...texts('ENV')].filter((text) => /token|secret|password|key/i.test(text))).toEqual([]);
    expect(texts('COPY').filter((text) => text.includes('.npmrc'))).toEqual([]);
  });
});

describe('docker/Dockerfile', () => {
  const all = instructions('docker/Dockerfile');
  const text = (name: string) => all.filter((one) => one.name === name).map((one) => one.text);

  it('has the ports, the address and the init that an orchestrator expects', () => {
    expect(text('ENV')).toContain('NODE_ENV=production HOST=0.0.0.0 PORT=3000 MANAGEMENT_PORT=9464');
    expect(text('EXPOSE')).toEqual(['3000 9464']);
    expect(text('ENTRYPOINT')).toEqual(['["tini", "--"]']);
    expect(text('CMD')).toEqual(['["node", "dist/main.js"]']);
    expect(text('STOPSIGNAL')).toEqual(['SIGTERM']);
  });

  it('says what it is', () => {
    const names = [
      ...text('LABEL')
        .join()
        .matchAll(/org\.opencontainers\.image\.(\w+)/g),
    ].map(([, name]) => name);

    expect(names).toEqual(['title', 'description', 'licenses', 'version', 'revision', 'source', 'base']);
    const { version, license } = JSON.parse(read('package.json')) as { version: string; license: string };
    expect(text('ARG')).toContain(`VERSION=${version}`);
    expect(text('LABEL').join()).toContain(`licenses="${license}"`);
  });

  it('holds what Node has compiled, where the application looks for it', () => {
    const [, folder = ''] = /'\.\.\/\.\.\/(node_modules\/[^']+)'/.exec(read('src/app/compile-cache.ts')) ?? [];
    const [start = ''] = text('RUN').filter((run) => run.includes('--try'));

    expect(start).toContain('NODE_COMPILE_CACHE=/tmp/compiled timeout 60 node dist/main.js --try');
    expect(start).toMatch(/ && chmod -R a\+rX \/tmp\/compiled$/);
    expect(text('COPY').at(-1)).toBe(`--from=compiled /tmp/compiled ./${folder}`);
    expect(all.findLast(({ name }) => name === 'FROM')?.text).toBe('application AS rookery');
  });

  it('gets everything that it copies', () => {
    const sources = text('COPY')
      .filter((copy) => !copy.startsWith('--from'))
      .flatMap((copy) => copy.split(' ').slice(0, -1));

    expect(sources.filter((source) => !reaches(source))).toEqual([]);
  });
});

describe('.dockerignore', () => {
  it('lets the sources through', () => {
    expect(['src/main.ts', 'src/mcp/auth/oauth-options.ts', 'tsconfig.json'].filter((path) => !reaches(path))).toEqual(
      [],
    );
  });

  it.each([
    '.git/config',
    '.npmrc',
    'docker/.env',
    'dist/main.js',
    'node_modules/zod/package.json',
    'test/support/wire.ts',
    'src/app/stop-on-signals.spec.ts',
    '.env',
  ])('keeps %s out', (path) => {
    expect(reaches(path)).toBe(false);
  });
});
