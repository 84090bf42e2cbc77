import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What wrk sends, again and again: the id is counted, and the sessions take turns. */
export interface Load {
  readonly url: string;
  /** Without `mcp-session-id`. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, with `%ID%` where the number goes. */
  readonly body: string;
  /** None for stateless requests. */
  readonly sessions: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Runs wrk with one thread. @throws Error when a request failed or was answered with another status than 2xx */
export async function run(load: Load): Promise<LoadResult> {
  const dir = mkdtempSync(join(tmpdir(), 'rookery-sizing-'));
  try {
    const script = join(dir, 'load.lua');
    writeFileSync(script, scriptOf(load));
    const args = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '10s', '-s', script, load.url];
    const { stdout } = await promisify(execFile)('wrk', args);
    const { requests, failed, ...rest } = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{'))) as LoadResult & {
      failed: number;
    };
    if (failed > 0) throw new Error(`${failed} of ${requests} requests failed:\n${stdout}`);
    return { requests, ...rest };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function scriptOf({ headers, body, sessions }: Load): string {
  const [before = '', after = ''] = body.split('%ID%').map((part) => JSON.stringify(part));
  return `
wrk.method = 'POST'
local sessions = {${sessions.map((id) => JSON.stringify(id)).join(', ')}}
${Object.entries(headers)
  .map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
  .join('\n')}
local n = 0
function request()
  n = n + 1
  if #sessions > 0 then wrk.headers['mcp-session-id'] = sessions[n % #sessions + 1] end
  return wrk.format(nil, nil, nil, ${before} .. n .. ${after})
end
function done(summary, latency)
  local errors = summary.errors
  print(string.format('\\n{"requests":%d,"perSecond":%.1f,"p50Ms":%.2f,"p99Ms":%.2f,"failed":%d}', summary.requests,
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`;
}
