import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');

/** A committed file with ports and paths of the test in place of its own. */
export class CommittedFile {
  private constructor(readonly text: string) {}

  static read(path: string): CommittedFile {
    return new CommittedFile(readFileSync(join(ROOT, path), 'utf8'));
  }

  /** @throws Error when the file does not hold the text: a substitution that does nothing tests something else */
  replace(from: string, to: string): CommittedFile {
    if (!this.text.includes(from)) throw new Error(`The file holds no "${from}".`);
    return new CommittedFile(this.text.replaceAll(from, to));
  }
}
