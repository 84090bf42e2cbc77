import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type RenderJob, type RenderResult, cannotRender, renderJobs } from './support/renderer.js';

const TOY = resolve(import.meta.dirname, 'fixtures/toy');

// The whole of these texts was compared with what the engines of Helm 3.17.4 and 3.21.4 make of the same chart and jobs.
describe.skipIf(cannotRender())('the renderer', () => {
  let plain: RenderResult;
  let changed: RenderResult;
  beforeAll(async () => {
    [plain, changed] = (await renderJobs(TOY, [
      {},
      {
        release: 'rel',
        namespace: 'ns',
        upgrade: true,
        apiVersions: ['monitoring.coreos.com/v1'],
        values: { nested: { removed: null, new: null, deep: { more: [1, 2.5] } }, list: null, big: 1_000_000 },
        set: ['a.b.c=1', 'a.b.d=x', 'l[1].k={p,q}', 'nested.kept=7', 'x\\.y=true', 'z=01'],
      },
    ])) as [RenderResult, RenderResult];
  });
  const line = ({ templates = {} }: RenderResult, file: string, name: string) =>
    new RegExp(`^${name}: (.*)$`, 'm').exec(templates[`toy/templates/${file}`] ?? '')?.[1];

  it('prints large numbers of values as Helm does, which a template must know', () => {
    expect(line(plain, 'values.tpl', 'big')).toBe('8.64e+07');
    expect(line(plain, 'values.tpl', 'exact')).toBe('86400000');
  });

  it('prints nothing for what is not there', () => {
    expect(line(plain, 'values.tpl', 'absent')).toBe('[, "fallback", ]');
  });

  it('converts from and to YAML, JSON and TOML', () => {
    expect(line(plain, 'values.tpl', 'json')).toBe('{"deep":{"also":true},"kept":1,"removed":2}');
    expect(line(plain, 'values.tpl', 'round')).toBe('1 1 [1 2] [a]');
    expect(plain.templates?.['toy/templates/values.tpl']).toContain('  [deep]\n    also = true\n');
    expect(line(plain, 'values.tpl', 'broken')).toMatch(/mapping values are not allowed/);
  });

  it('gives release, chart, template and capabilities', () => {
    expect(line(changed, 'objects.tpl', 'release')).toBe('rel ns Helm false true 1');
    expect(line(changed, 'objects.tpl', 'chart')).toBe('toy-1.2.3 4.5.6 tests true');
    expect(line(changed, 'objects.tpl', 'template')).toBe('toy/templates/objects.tpl toy/templates');
    expect(line(plain, 'objects.tpl', 'capabilities')).toBe('v1.31.0 31 true false');
    expect(line(changed, 'objects.tpl', 'capabilities')).toBe('v1.31.0 31 true true');
  });

  it('has neither a cluster nor a resolver', () => {
    expect(line(plain, 'objects.tpl', 'lookup')).toBe('{}');
    expect(line(plain, 'objects.tpl', 'host')).toBe('""');
  });

  it('renders templates in values, which may define their own', () => {
    expect(line(changed, 'objects.tpl', 'tpl')).toBe('"rel-7"');
    expect(line(plain, 'objects.tpl', 'inner')).toBe('mine release-name-toy');
  });

  it('reads files of the chart, but not what .helmignore names', () => {
    expect(line(plain, 'objects.tpl', 'lines')).toBe('["first","second"]');
    expect(line(plain, 'objects.tpl', 'file')).toBe('eyAiYSI6IDEgfQo= "" ""');
    expect(parse(plain.templates?.['toy/templates/objects.tpl'] ?? '')).toMatchObject({
      config: { 'data.json': '{ "a": 1 }\n', 'lines.txt': 'first\nsecond\n' },
      secrets: { 'data.json': 'eyAiYSI6IDEgfQo=' },
    });
  });

  it('finds with lookup what the cluster of the job has', async () => {
    const cluster = [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'none', namespace: 'default' } }];
    const [found] = await renderJobs(TOY, [{ cluster }]);
    expect(line(found as RenderResult, 'objects.tpl', 'lookup')).toContain('"kind":"Secret"');
  });

  it('merges values, where null takes a default away', () => {
    expect(changed.values).toEqual({
      a: { b: { c: 1, d: 'x' } },
      big: 1_000_000,
      fraction: 0.5,
      l: [null, { k: ['p', 'q'] }],
      must: '',
      nested: { deep: { also: true, more: [1, 2.5] }, kept: 7, new: null },
      template: '{{ .Release.Name }}-{{ .Values.nested.kept }}{{ .Values.absent }}',
      text: 'a "quoted" word',
      'x.y': true,
      z: '01',
    });
  });

  it('renders notes apart', () => {
    expect(changed.notes).toBe('Thank you for toy, rel-toy.\n');
    expect(Object.keys(changed.templates ?? {})).toEqual(['toy/templates/objects.tpl', 'toy/templates/values.tpl']);
  });

  it.each<[string, RenderJob, RegExp]>([
    ['fail', { values: { fails: true } }, /^execution error at \(toy\/templates\/objects.tpl:18:3\): toy says no$/],
    ['required', { values: { wants: true } }, /^execution error at \(toy\/.*:21:3\): must is needed$/],
    ['endless includes', { values: { loops: true } }, /nested reference name: toy.loop/],
    ['a field that .Chart lacks', { values: { reads: true } }, /can't evaluate field NoSuchField/],
    ['a function that is none', { values: { template: '{{ env "HOME" }}' } }, /function "env" not defined/],
    [
      'a look into nothing',
      { values: { template: '{{ .Values.a.b.c }}' } },
      /nil pointer evaluating interface \{\}\.b/,
    ],
    ['an old cluster', { kubeVersion: 'v1.20.0' }, /^chart requires kubeVersion: >=1.25.0-0 which is incompatible/],
    ['a values file that is not there', { files: ['values-none.yaml'] }, /no such file/],
  ])('fails on %s, in the words of Helm', async (_what, job, message) => {
    const [failed] = await renderJobs(TOY, [job]);
    expect(failed?.error).toMatch(message);
  });
});
