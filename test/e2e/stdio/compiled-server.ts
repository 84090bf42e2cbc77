import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../../..');

/** The sources as JavaScript, in a folder that finds the project's packages; what a child process can run. */
export class CompiledServer implements Disposable {
  private readonly dir: string;

  constructor() {
    const cache = join(ROOT, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    this.dir = mkdtempSync(join(cache, 'rookery-stdio-'));
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
      .map((file) => join(ROOT, 'src', file));
    for (const file of [...sources, join(import.meta.dirname, 'server.fixture.ts')]) this.compile(file);
    writeFileSync(join(this.dir, 'package.json'), readFileSync(join(ROOT, 'package.json')));
  }

  /** The platform's own entry, as `node dist/stdio.js` would run it. */
  get platform(): string {
    return join(this.dir, 'src/stdio.js');
  }

  /** The tools of `server.fixture.ts`, served the same way. */
  get fixture(): string {
    return join(this.dir, 'test/e2e/stdio/server.fixture.js');
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  private compile(file: string): void {
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
      fileName: file,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        useDefineForClassFields: true,
      },
    });
    const target = join(this.dir, relative(ROOT, file).replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}
