import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string | undefined;
let files = 0;

/** Writes a file that is gone when this process is, and says its path. */
export function scratchFile(name: string, content: string | Buffer): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'rookery-bench-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  const file = join(folder, `${(files += 1)}-${name}`);
  writeFileSync(file, content);
  return file;
}
