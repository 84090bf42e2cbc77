import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DAYS, type Load, type LoadResult } from './load.js';
import { onLoadCore } from './machine.js';

/** Runs wrk on the other core; its script looks at every answer. @throws Error when one of them was wrong */
export async function runWrk(load: Load, seconds: number, connections: number): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-bench-'));
  try {
    const script = join(folder, 'load.lua');
    writeFileSync(script, scriptOf(load));
    const wrk = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', script, load.url];
    const [command, args] = onLoadCore('wrk', wrk);
    const { stdout } = await promisify(execFile)(command, args);
    const { bad, ...result } = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{'))) as LoadResult & { bad: number };
    if (bad > 0 || result.requests === 0) throw new Error(`${bad} of ${result.requests} answers are wrong:\n${stdout}`);
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function scriptOf({ url, headers, body, sessions, expected }: Load): string {
  const { host, pathname } = new URL(url);
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}`;
  const [before = '', after = ''] = body.split('%ID%');
  const days = Array.from({ length: DAYS }, (_, n) => n + 1);
  const list = (texts: readonly string[]): string => `{${texts.map(quoted).join(', ')}}`;
  const each = (text: string): string => list(days.map((day) => text.replaceAll('%DAYS%', String(day))));
  return `
local head, before, after, contains = ${quoted(head)}, ${quoted(before)}, ${each(after)}, ${each(expected.contains)}
local sessions = ${list(sessions.map((id) => `mcp-session-id: ${id}\r\n`))}
local n, pending = 0, {}
bad = 0

function request()
  n = n + 1
  local day = n % ${DAYS} + 1
  pending[n] = day
  local body = before .. n .. after[day]
  local session = #sessions > 0 and sessions[n % #sessions + 1] or ''
  return head .. session .. 'content-length: ' .. #body .. '\\r\\n\\r\\n' .. body
end

local function isRight(status, body)
  local id = body:match('"id":(%d+)')
  local day = pending[tonumber(id)]
  if status ~= 200 or not day or not body:find(contains[day], 1, true) then return false end
  pending[tonumber(id)] = nil
  ${expected.repeated ? `local _, times = body:gsub(${quoted(expected.repeated.text)}, '')\n  if times ~= ${expected.repeated.times} then return false end` : ''}
  ${expected.length === undefined ? '' : `if #body - #id ~= ${expected.length} then return false end`}
  return true
end

function response(status, headers, body)
  if isRight(status, body) then return end
  bad = bad + 1
  if bad < 3 then io.write(status .. ' ' .. body .. '\\n') end
end

local thread
function setup(given) thread = given end
function done(summary, latency)
  local errors = summary.errors
  local bad = thread:get('bad') + errors.connect + errors.read + errors.write + errors.timeout
  local seconds = summary.duration / 1e6
  print(string.format('\\n{"requests":%d,"perSecond":%.1f,"p50Ms":%.3f,"p99Ms":%.3f,"loadBusy":%.3f,"bad":%d}',
    summary.requests, summary.requests / seconds, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    os.clock() / seconds, bad))
end
`;
}

/** JSON escapes what Lua 5.1 escapes the same way, for texts of printable ASCII and line ends. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
