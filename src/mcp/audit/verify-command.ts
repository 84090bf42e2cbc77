import { type KeyObject, createPublicKey } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { parseAnchor } from './audit-anchor.js';
import { isEd25519 } from './audit-key.js';
import type { AuditLine, AuditReport } from './audit-report.js';
import { readLines } from './read-lines.js';
import { type VerifyAuditOptions, verifyAudit } from './verify-audit.js';

/** Where the command reads and writes. */
export interface VerifyStreams {
  readonly stdin: Readable;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

const USAGE = `Usage: npm run audit:verify -- [options] file... | -

Finds entries of an audit trail that were altered, removed or moved. Give the files of a log that was rotated oldest
first. "-" is stdin; of a Redis stream for example
  redis-cli XRANGE 'rookery:{audit}:log' - + | grep '^{' | npm run audit:verify -- --partial --key public.pem -

  --key <file>  public key of the servers, PEM; several for several keys. Without it a log vouches for itself only
  --partial     older lines are gone: a chain without its start is a warning
  --expect=<chain>:<seq>:<hash>
                the log must hold this entry; several for several. A server logs the last signature of each chain
                when it stops: kept elsewhere, it shows that the chain was not cut back
  --ended       all servers were stopped: a chain without an end is a problem
  --mixed       other lines stand between the entries and are passed over
  --help

Exit code 0: nothing wrong; 1: problems; 2: it could not be checked, or there is no entry.
`;

/**
 * Verifies a log from the command line.
 * @param args without the names of the program and the script
 * @returns the exit code: 0 if nothing is wrong, 1 for problems, 2 if it could not be checked or holds no entry
 */
export async function verifyCommand(args: readonly string[], streams: VerifyStreams): Promise<number> {
  try {
    const { files, keyFiles, help, ...options } = readArguments(args);
    if (help) {
      streams.stdout.write(USAGE);
      return 0;
    }
    if (files.length === 0) throw new Error(`There is no file to verify.\n\n${USAGE}`);
    const trustedKeys = await Promise.all(keyFiles.map(readKey));
    const report = await verifyAudit(linesOf(files, streams.stdin), { ...options, trustedKeys });
    streams.stdout.write(describe(report, trustedKeys.length > 0));
    if (report.problems > 0) return 1;
    return report.entries > 0 ? 0 : 2;
  } catch (error) {
    streams.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

interface Arguments extends Required<Omit<VerifyAuditOptions, 'trustedKeys'>> {
  readonly files: readonly string[];
  readonly keyFiles: readonly string[];
  readonly help: boolean;
}

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      key: { type: 'string', multiple: true, default: [] },
      expect: { type: 'string', multiple: true, default: [] },
      partial: { type: 'boolean', default: false },
      ended: { type: 'boolean', default: false },
      mixed: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { key, expect, ...flags } = values;
  return { ...flags, keyFiles: key, expected: expect.map(parseAnchor), files: positionals };
}

async function readKey(file: string): Promise<KeyObject> {
  const text = await readFile(file, 'utf8');
  try {
    const key = createPublicKey(text);
    if (isEd25519(key)) return key;
  } catch {
    // As any other text that is no such key.
  }
  throw new Error(`${file} holds no Ed25519 key as PEM. Make one with: openssl pkey -in private.pem -pubout`);
}

async function* linesOf(files: readonly string[], stdin: Readable): AsyncGenerator<AuditLine> {
  for (const file of files) {
    const chunks: AsyncIterable<Uint8Array> = file === '-' ? stdin : createReadStream(file);
    yield* readLines(chunks, file === '-' ? 'stdin' : file);
  }
}

function describe(report: AuditReport, hasKeys: boolean): string {
  const { findings, entries, chains, problems, warnings, lost } = report;
  const lines = findings.map(
    ({ file, line, level, kind, message }) => `${file}:${line}: ${level}: ${kind}: ${message}`,
  );
  const left = problems + warnings - findings.length;
  if (left > 0) lines.push(`and ${left} more`);
  if (entries === 0) lines.push('There is no entry in it.');
  if (!hasKeys) lines.push('No --key was given: whoever could write the log could also have made it anew.');
  lines.push(
    `${entries} entries in ${chains} chains: ${problems} problems, ${warnings} warnings; ` +
      `the servers lost ${lost} operations.`,
  );
  return `${lines.join('\n')}\n`;
}
