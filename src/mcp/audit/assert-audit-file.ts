import { type Stats, closeSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** They pass: a start while the disk is full is like a disk that is full later. */
const PASSING: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);

/**
 * Makes the file if it is not there, for its owner alone, since only that shows that it can be made.
 *
 * Anything but a regular file is not even opened: a pipe would hold a thread up until somebody reads it, so that the
 * process could not end.
 *
 * @throws Error that names the path and says what to do when lines could not be appended to it
 */
export function assertAuditFile(path: string): void {
  try {
    const there: Stats | undefined = statSync(path, { throwIfNoEntry: false });
    if (there && !there.isFile()) throw refusal(path, there.isDirectory() ? 'EISDIR' : 'no file');
    closeSync(openSync(path, 'a+', 0o600));
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (PASSING.has(code)) return;
    throw typeof code === 'string' ? refusal(path, code, error) : error;
  }
}

function refusal(path: string, code: string, cause?: unknown): Error {
  return new Error(`The audit cannot go to the file ${path}: ${whatToDo(path, code)}`, { cause });
}

function whatToDo(path: string, code: string): string {
  if (code === 'EISDIR') return `it is a folder. Name a file in it, such as ${join(path, 'audit.log')}.`;
  if (code === 'no file') return 'it is no regular file. Name one, or `stdout` for standard output.';
  if (code === 'ENOENT' && !isFolder(dirname(path))) {
    return `its folder does not exist. Make the folder ${dirname(path)}, or name another file.`;
  }
  return `${code}. Name a file that this process may make and write, in a folder that exists.`;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
