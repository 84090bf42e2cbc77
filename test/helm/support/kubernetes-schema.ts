import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import type { Manifest } from './chart.js';

/** Where a version of an API is described; a group that is not here belongs to kubernetes-models itself. */
const PACKAGES: Readonly<Record<string, string>> = {
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'keda.sh': '@kubernetes-models/keda',
  'external-secrets.io': '@kubernetes-models/external-secrets',
};
const MODULES = resolve(import.meta.dirname, '../../../node_modules');

/**
 * Objects checked as an API server would: types, required fields, formats and quantities by the validators of
 * kubernetes-models, which let unknown fields pass; these are found by its type declarations.
 */
export class KubernetesSchema {
  private constructor(
    private readonly checker: ts.TypeChecker,
    private readonly kinds: ReadonlyMap<string, Kind>,
  ) {}

  /** @throws Error if a kind has no description */
  static async of(objects: readonly Manifest[]): Promise<KubernetesSchema> {
    const wanted = new Map(objects.map((object) => [nameOf(object), object]));
    const files = [...wanted.values()].map((object) => `${moduleOf(object)}.d.ts`);
    const program = ts.createProgram(files, {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      strict: true,
      skipLibCheck: true,
      types: [],
      noEmit: true,
    });
    const checker = program.getTypeChecker();
    const kinds = new Map<string, Kind>();
    for (const [name, object] of wanted) {
      const source = program.getSourceFile(`${moduleOf(object)}.d.ts`);
      const symbol = source && checker.getSymbolAtLocation(source);
      const declared = symbol && checker.tryGetMemberInModuleExports(`I${object.kind}`, symbol);
      if (!declared) throw new Error(`${name} is described nowhere.`);
      const module = (await import(pathToFileURL(`${moduleOf(object)}.js`).href)) as Record<string, Model>;
      const model = module[object.kind];
      if (!model) throw new Error(`${name} has no validator.`);
      kinds.set(name, { model, type: checker.getDeclaredTypeOfSymbol(declared) });
    }
    return new KubernetesSchema(checker, kinds);
  }

  /** What is wrong with an object, a line each. @throws Error if its kind was not among those this was made for */
  problemsOf(object: Manifest): string[] {
    const kind = this.kinds.get(nameOf(object));
    if (!kind) throw new Error(`No schema was loaded for ${nameOf(object)}.`);
    const title = `${object.kind}/${object.metadata?.name}`;
    const unknown = this.unknownFields(object, kind.type, '');
    return [...unknown, ...invalid(kind.model, object)].map((problem) => `${title}: ${problem}`);
  }

  private unknownFields(value: unknown, type: ts.Type, path: string): string[] {
    const types = (type.isUnion() ? type.types : [type]).filter((one) => isStructure(one));
    if (value === null || typeof value !== 'object' || types.length === 0) return [];
    if (Array.isArray(value)) {
      const element = types.map((one) => this.checker.getIndexTypeOfType(one, ts.IndexKind.Number)).find(Boolean);
      return element ? value.flatMap((entry, index) => this.unknownFields(entry, element, `${path}/${index}`)) : [];
    }
    return Object.entries(value).flatMap(([key, entry]) => {
      const field = types.map((one) => this.fieldOf(one, key)).find(Boolean);
      return field ? this.unknownFields(entry, field, `${path}/${key}`) : [`${path}/${key} is no field of it`];
    });
  }

  private fieldOf(type: ts.Type, key: string): ts.Type | undefined {
    const property = type.getProperty(key);
    return property ? this.checker.getTypeOfSymbol(property) : type.getStringIndexType();
  }
}

interface Kind {
  readonly model: Model;
  readonly type: ts.Type;
}

type Model = new (data: unknown) => { validate(): void };

function invalid(model: Model, object: Manifest): string[] {
  try {
    new model(object).validate();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Not a text, a number or anything at all. */
function isStructure(type: ts.Type): boolean {
  return (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0;
}

function nameOf({ apiVersion, kind }: Manifest): string {
  return `${apiVersion}/${kind}`;
}

function moduleOf({ apiVersion, kind }: Manifest): string {
  const [group = ''] = apiVersion.split('/');
  const found = join(MODULES, PACKAGES[group] ?? 'kubernetes-models', apiVersion, kind);
  if (!existsSync(`${found}.js`)) throw new Error(`${apiVersion}/${kind} is not in the packages of kubernetes-models.`);
  return found;
}
