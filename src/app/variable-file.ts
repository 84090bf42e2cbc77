import { readFileSync } from 'node:fs';

/**
 * The text of a file that an environment variable names.
 * @throws Error that names both, and says what is wrong with the file
 */
export function readVariableFile(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'it cannot be read';
    throw new Error(`${variable}: the file ${file} cannot be read (${code}).`, { cause });
  }
}
