import { resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type RenderJob, renderJobs } from './renderer.js';
import { schemaProblems } from './values-schema.js';
import type { Json } from './json.js';

export const CHART = resolve(import.meta.dirname, '../../../helm/rookery');

/** An object of Kubernetes, as rendered. Its fields are checked by `kubernetes-schema.ts`. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: Json;
}

export interface Rendered {
  /** What the templates saw. */
  readonly values: Record<string, Json>;
  /** All objects, in the order of their templates and documents. */
  readonly objects: readonly Manifest[];
  readonly notes: string;
  /** Why Helm would refuse; undefined if it would not. */
  readonly error: string | undefined;
}

/** Renders our chart as `helm template` does: merge, check the schema, render, read the YAML. */
export async function renderAll(jobs: readonly RenderJob[]): Promise<Rendered[]> {
  const results = await renderJobs(CHART, jobs);
  return results.map(({ values = {}, templates = {}, notes = '', error }) => {
    // Helm looks at the schema before it renders anything.
    const refused = schemaProblems(values) ?? error;
    if (refused !== undefined) return { values, objects: [], notes: '', error: refused };
    const objects = Object.keys(templates)
      .sort()
      .flatMap((path) => readObjects(path, templates[path] ?? ''));
    return { values, objects, notes, error: undefined };
  });
}

/** Renders once. @throws Error if it is refused */
export async function render(job: RenderJob = {}): Promise<Rendered> {
  const [rendered] = await renderAll([job]);
  if (!rendered || rendered.error !== undefined) throw new Error(rendered?.error ?? 'nothing was rendered');
  return rendered;
}

/** Renders once, and says why it is refused. @throws Error if it is not */
export async function refusal(job: RenderJob): Promise<string> {
  const [rendered] = await renderAll([job]);
  if (rendered?.error === undefined) throw new Error(`This renders, and must not: ${JSON.stringify(job)}`);
  return rendered.error;
}

/** The only object of a kind, or of a kind and the end of a name. @throws Error if there is none, or more than one */
export function only(objects: readonly Manifest[], kind: string, suffix = ''): Manifest {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name.endsWith(suffix));
  const [first, ...others] = found;
  if (!first || others.length > 0) throw new Error(`${found.length} of ${kind} ${suffix}: ${names(objects)}`);
  return first;
}

/** The ConfigMap that replicas take their variables from. @throws Error if they name none, or it is not rendered */
export function serverConfig(objects: readonly Manifest[]): Manifest {
  const [{ envFrom }] = only(objects, 'Deployment')['spec'].template.spec.containers;
  const names: string[] = envFrom.flatMap(({ configMapRef }: Json) => configMapRef?.name ?? []);
  return only(
    objects.filter(({ metadata }) => names.includes(metadata.name)),
    'ConfigMap',
  );
}

export function ofKind(objects: readonly Manifest[], kind: string): Manifest[] {
  return objects.filter((object) => object.kind === kind);
}

/** YAML 1.2 in strict mode: a key twice, or a tab, is an error. */
function readObjects(path: string, text: string): Manifest[] {
  return parseAllDocuments(text, { uniqueKeys: true, version: '1.1' }).flatMap((document) => {
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem) throw new Error(`${path} is not YAML: ${problem.message}`);
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });
}

function names(objects: readonly Manifest[]): string {
  return objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).join(', ');
}
