import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { REQUIREMENTS } from './manifest.js';
import type { Requirement, Revision } from './requirement.js';
import { testTitles } from './test-titles.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CONFORMANCE = 'conformance:';

/** Server scenarios of the official suite that `npm run conformance` runs, by the revision whose wire they speak. */
const SCENARIOS: Partial<Record<Revision, { required: readonly string[]; reported: readonly string[] }>> = {
  '2025-11-25': {
    required: [
      'server-initialize',
      'logging-set-level',
      'ping',
      'completion-complete',
      'tools-list',
      'tools-call-simple-text',
      'tools-call-image',
      'tools-call-audio',
      'tools-call-embedded-resource',
      'tools-call-mixed-content',
      'tools-call-with-logging',
      'tools-call-error',
      'tools-call-with-progress',
      'tools-call-sampling',
      'tools-call-elicitation',
      'elicitation-sep1034-defaults',
      'server-sse-multiple-streams',
      'elicitation-sep1330-enums',
      'resources-list',
      'resources-read-text',
      'resources-read-binary',
      'resources-templates-read',
      'resources-subscribe',
      'resources-unsubscribe',
      'prompts-list',
      'prompts-get-simple',
      'prompts-get-with-args',
      'prompts-get-embedded-resource',
      'prompts-get-with-image',
      'dns-rebinding-protection',
    ],
    reported: ['server-session-lifecycle', 'json-schema-2020-12', 'server-sse-polling'],
  },
  '2026-07-28': {
    required: [
      'server-stateless',
      'completion-complete',
      'tools-list',
      'tools-call-simple-text',
      'tools-call-image',
      'tools-call-audio',
      'tools-call-embedded-resource',
      'tools-call-mixed-content',
      'tools-call-error',
      'tools-call-with-progress',
      'server-sse-multiple-streams',
      'resources-list',
      'resources-read-text',
      'resources-read-binary',
      'resources-templates-read',
      'sep-2164-resource-not-found',
      'prompts-list',
      'prompts-get-simple',
      'prompts-get-with-args',
      'prompts-get-embedded-resource',
      'prompts-get-with-image',
      'dns-rebinding-protection',
      'caching',
      'input-required-result-basic-elicitation',
      'input-required-result-basic-sampling',
      'input-required-result-basic-list-roots',
      'input-required-result-request-state',
      'input-required-result-multiple-input-requests',
      'input-required-result-multi-round',
      'input-required-result-missing-input-response',
      'input-required-result-non-tool-request',
      'input-required-result-result-type',
      'input-required-result-unsupported-methods',
      'input-required-result-tampered-state',
      'input-required-result-capability-check',
      'input-required-result-ignore-extra-params',
      'input-required-result-validate-input',
    ],
    reported: ['json-schema-2020-12', 'http-header-validation', 'http-custom-header-server-validation'],
  },
};

describe('manifest of requirements', () => {
  afterAll(() => console.info(coverage()));

  it('gives every requirement an id of its own', () => {
    const ids = REQUIREMENTS.map(({ id }) => id);

    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.filter((id) => !/^[a-z]+(-[a-z0-9]+)*\/[a-z0-9]+(-[a-z0-9]+)*$/.test(id))).toEqual([]);
  });

  it('places every requirement in the era of its revisions', () => {
    expect(
      REQUIREMENTS.filter((requirement) => requirement.era !== eraOf(requirement.revisions)).map(({ id }) => id),
    ).toEqual([]);
  });

  it('links every requirement to a section of a revision that asks for it', () => {
    const link =
      /^https:\/\/modelcontextprotocol\.io\/specification\/(\d{4}-\d{2}-\d{2})(?:\/[a-z0-9-]+)+#[a-z0-9](?:[a-z0-9-]|%[0-9A-F]{2})*$/;

    const wrong = REQUIREMENTS.filter((requirement) => {
      const revision = link.exec(requirement.link)?.[1];
      return !requirement.revisions.includes(revision as Revision);
    });

    expect(wrong.map(({ id, link }) => `${id}: ${link}`)).toEqual([]);
  });

  it('holds the server to every MUST by at least one test', () => {
    const untested = REQUIREMENTS.filter(({ level, tests }) => level === 'MUST' && tests.length === 0);

    expect(untested.map(({ id }) => id)).toEqual([]);
  });

  it('refers to tests that exist', () => {
    const references = REQUIREMENTS.flatMap(({ id, tests }) =>
      tests.filter((test) => !test.startsWith(CONFORMANCE)).map((test) => ({ id, test })),
    );

    expect(references.filter(({ test }) => !isTest(test)).map(({ id, test }) => `${id}: ${test}`)).toEqual([]);
  });

  it('refers to conformance scenarios that run at a revision of the requirement', () => {
    const references = REQUIREMENTS.flatMap(({ id, revisions, tests }) =>
      tests
        .filter((test) => test.startsWith(CONFORMANCE))
        .map((test) => ({ id, revisions, scenario: test.slice(CONFORMANCE.length) })),
    );

    const wrong = references.filter(
      ({ revisions, scenario }) => !revisions.some((revision) => scenariosOf(revision).includes(scenario)),
    );

    expect(wrong.map(({ id, scenario }) => `${id}: ${scenario}`)).toEqual([]);
  });

  it.each(['2025-11-25', '2026-07-28'] as const)('knows the scenarios that the suite requires for %s', (revision) => {
    const suite = readFileSync(
      `${ROOT}node_modules/@modelcontextprotocol/conformance/requirements/${revision}.yaml`,
      'utf8',
    );
    const server = suite.slice(suite.indexOf('\nserver:'), suite.indexOf('\nclient:'));

    expect(SCENARIOS[revision]?.required).toEqual([...server.matchAll(/^ {2}- (\S+)$/gm)].map(([, name]) => name));
  });
});

describe('testTitles', () => {
  it('finds titles of plain, parametrised and templated tests', () => {
    const titles = testTitles(`
      describe.each(eras)('%s', (era) => {
        it('answers', () => {});
        test("refuses", () => {});
        it.each([1, 2])('counts to %i', () => {});
        it.concurrent.for\`a | b\`(\`streams \${era}\`, () => {});
      });`);

    expect([...titles]).toEqual(['answers', 'refuses', 'counts to %i', 'streams ${era}']);
  });

  it('leaves out tests that do not run', () => {
    const titles = testTitles(`
      it.skip('skipped', () => {});
      it.todo('to do');
      test.skip.each([1])('skipped %i', () => {});
      describe.skip('later', () => { it('inside', () => {}); });
      // it('commented out', () => {});`);

    expect([...titles]).toEqual([]);
  });
});

function eraOf(revisions: readonly Revision[]): Requirement['era'] {
  const stateless = revisions.includes('2026-07-28');
  if (stateless && revisions.length > 1) return 'both';
  return stateless ? 'stateless' : 'session';
}

function scenariosOf(revision: Revision): readonly string[] {
  const scenarios = SCENARIOS[revision];
  return scenarios === undefined ? [] : [...scenarios.required, ...scenarios.reported];
}

const titlesByFile = new Map<string, ReadonlySet<string>>();

function isTest(reference: string): boolean {
  const separator = reference.indexOf('#');
  const file = reference.slice(0, separator);
  if (separator < 1 || !existsSync(ROOT + file)) return false;
  let titles = titlesByFile.get(file);
  if (titles === undefined) {
    titles = testTitles(readFileSync(ROOT + file, 'utf8'));
    titlesByFile.set(file, titles);
  }
  return titles.has(reference.slice(separator + 1));
}

function coverage(): string {
  const tested = (requirements: readonly Requirement[]) => {
    const count = requirements.filter(({ tests }) => tests.length > 0).length;
    return `${count}/${requirements.length}`;
  };
  const row = (area: string, requirements: readonly Requirement[]) => {
    const levels = (['MUST', 'SHOULD', 'MAY'] as const).map((level) =>
      `${level} ${tested(requirements.filter((requirement) => requirement.level === level))}`.padEnd(16),
    );
    return `${area.padEnd(15)}${levels.join('')}`.trimEnd();
  };
  const areas = new Set(REQUIREMENTS.map(({ id }) => areaOf(id)));
  const rows = [...areas].map((area) =>
    row(
      area,
      REQUIREMENTS.filter(({ id }) => areaOf(id) === area),
    ),
  );
  return ['Requirements with a test', ...rows, row('all', REQUIREMENTS)].join('\n');
}

function areaOf(id: string): string {
  return id.slice(0, id.indexOf('/'));
}
