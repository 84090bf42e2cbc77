import { createHash, randomUUID } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');
const CACHE = join(ROOT, 'node_modules/.cache/rookery-compiled');

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  useDefineForClassFields: true,
};

/** The sources as JavaScript, in a folder that finds the project's packages; what a child process can run. */
export class CompiledServer implements Disposable {
  private readonly dir: string;

  /** @param fixtures what is compiled besides `src`: files of `test`, as paths from the root of the repository */
  constructor(fixtures: readonly string[]) {
    mkdirSync(join(CACHE, 'files'), { recursive: true });
    this.dir = mkdtempSync(join(CACHE, 'server-'));
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
      .map((file) => join('src', file));
    for (const source of [...sources, ...fixtures]) {
      const script = this.script(source);
      mkdirSync(dirname(script), { recursive: true });
      copyFileSync(compiled(source), script);
    }
    writeFileSync(join(this.dir, 'package.json'), readFileSync(join(ROOT, 'package.json')));
  }

  /** The compiled script. @param source its source, as a path from the root of the repository */
  script(source: string): string {
    return join(this.dir, source.replace(/\.ts$/, '.js'));
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The path of a file's JavaScript, which is kept: several test files need the same, also at the same time. */
function compiled(source: string): string {
  const text = readFileSync(join(ROOT, source), 'utf8');
  const key = createHash('sha256')
    .update(JSON.stringify([ts.version, OPTIONS, source, text]))
    .digest('hex');
  const kept = join(CACHE, 'files', `${key}.js`);
  if (existsSync(kept)) return kept;
  const { outputText } = ts.transpileModule(text, { fileName: source, compilerOptions: OPTIONS });
  const partial = `${kept}.${randomUUID()}`;
  writeFileSync(partial, outputText);
  renameSync(partial, kept);
  return kept;
}
