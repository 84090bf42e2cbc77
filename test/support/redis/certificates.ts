import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { versionOf } from './find-redis-server.js';

/** A CA of its own, and a certificate of it for 127.0.0.1 and localhost. */
export interface Certificates {
  /** PEM text. */
  readonly ca: string;
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

const run = promisify(execFile);

/** What {@link makeCertificates} needs; undefined if it is not installed. */
export function findOpenssl(): string | undefined {
  return versionOf('openssl', 'version', /^\w+ (\d\S*)/);
}

/**
 * Makes a CA, a key and a certificate in a directory.
 * @param names subject alternative names, as openssl writes them
 */
export async function makeCertificates(dir: string, names = 'IP:127.0.0.1,DNS:localhost'): Promise<Certificates> {
  const [caFile, caKeyFile] = [join(dir, 'ca.crt'), join(dir, 'ca.key')];
  const [certificateFile, keyFile] = [join(dir, 'server.crt'), join(dir, 'server.key')];
  const [request, extensions] = [join(dir, 'server.csr'), join(dir, 'server.ext')];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

  await run('openssl', ['req', '-x509', ...newKey, '-keyout', caKeyFile, '-out', caFile, '-subj', '/CN=Test CA']);
  await run('openssl', ['req', '-new', ...newKey, '-keyout', keyFile, '-out', request, '-subj', '/CN=redis']);
  await writeFile(extensions, `subjectAltName=${names}\n`);
  const sign = ['-CA', caFile, '-CAkey', caKeyFile, '-CAcreateserial', '-days', '2', '-extfile', extensions];
  await run('openssl', ['x509', '-req', '-in', request, '-out', certificateFile, ...sign]);

  return { ca: await readFile(caFile, 'utf8'), caFile, certificateFile, keyFile };
}
