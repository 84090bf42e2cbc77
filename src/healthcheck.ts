/**
 * Asks the server of this container or machine how it is: `node dist/healthcheck.js [live|ready|startup]`, for a
 * HEALTHCHECK of Docker and for probes that run a command. It reads the variables that the server reads (HOST, PORT,
 * MANAGEMENT_HOST, MANAGEMENT_PORT), exits with 0 if the answer is 200, and otherwise with 1 and one line on stderr.
 *
 * It loads nothing but Node's HTTP client: it runs every few seconds.
 */
import { type ClientRequest, type IncomingMessage, get } from 'node:http';
import { isIPv6 } from 'node:net';

/** Milliseconds, of everything. */
const TIMEOUT_MS = 3_000;
/** Bytes of an answer that are read. */
const MAX_BODY = 16 * 1024;
/** Characters of it that are shown. */
const MAX_SHOWN = 300;
const PROBES = ['live', 'ready', 'startup'];

function fail(why: string): never {
  // One line, whatever the answer held.
  process.stderr.write(`${why.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim()}\n`);
  process.exit(1);
}

/** An address that stands for all of the machine's cannot be asked everywhere. */
function reachable(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare === '0.0.0.0') return '127.0.0.1';
  return isIPv6(bare) && /^[0:]+$/.test(bare) ? '::1' : bare;
}

/** As the server reads them: an empty one counts as not set. */
const variable = (name: string): string | undefined => process.env[name] || undefined;

const probe = process.argv[2] ?? 'live';
if (!PROBES.includes(probe)) fail(`There is no probe ${probe.slice(0, 40)}. Ask for one of: ${PROBES.join(', ')}.`);

const main = variable('HOST') ?? '127.0.0.1';
const managementPort = variable('MANAGEMENT_PORT');
const port = managementPort ?? variable('PORT') ?? '3000';
const host = reachable(managementPort === undefined ? main : (variable('MANAGEMENT_HOST') ?? main));
const where = `${managementPort === undefined ? 'PORT' : 'MANAGEMENT_PORT'} ${port.slice(0, 40)}`;
if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
  fail(`${where} cannot be asked. Set a number from 1 to 65535.`);
}

/** An address may be none at all. */
function ask(answered: (response: IncomingMessage) => void): ClientRequest {
  try {
    return get({ host, port, path: `/health/${probe}`, agent: false }, answered);
  } catch (error) {
    return fail(`${where} cannot be asked: ${(error as Error).message}`);
  }
}

const timer = setTimeout(() => fail(`/health/${probe}: no answer within ${TIMEOUT_MS} ms on ${where}.`), TIMEOUT_MS);
const request = ask((response) => {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => (body.length < MAX_BODY ? (body += text) : response.destroy()));
  response.on('close', () => {
    clearTimeout(timer);
    if (response.statusCode === 200 && response.complete) process.exit(0);
    fail(`/health/${probe}: ${response.statusCode} on ${where}: ${body.slice(0, MAX_SHOWN)}`);
  });
});
request.on('error', (error: NodeJS.ErrnoException) => {
  fail(`/health/${probe}: ${error.code ?? error.message} on ${where}. Is the server running?`);
});
