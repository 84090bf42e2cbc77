import type { Contestant } from './contestant.js';
import type { ServerProcess } from './server-process.js';
import { bodyOf, headersOf, openSession } from './wire.js';

/** What is sent, again and again: `%ID%` is counted, `%DAYS%` runs from 1 to 14, sessions take turns. */
export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly sessions: readonly string[];
  /** What every answer must be, besides 200 and the answer to a request that is waiting for one. */
  readonly expected: Expected;
}

export interface Expected {
  readonly contains: string;
  /** A text that must be there so many times. */
  readonly repeated?: { readonly text: string; readonly times: number };
  /** Bytes without those of the id. */
  readonly length?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Share of the time in which who makes the load was at work. Near 1, that was the bound, not the server. */
  readonly loadBusy: number;
}

export type LoadKind = 'call' | 'stream' | 'list';

export const DAYS = 14;
const SESSIONS = 50;
/** Progress that the slow tool reports. */
export const STEPS = 20;

export const CALLED =
  '"structuredContent":{"city":"Lisbon","days":%DAYS%,"unit":"celsius","summary":"%DAYS% days in Lisbon"}';

export function argumentsOf(days: number): Record<string, unknown> {
  return { city: 'Lisbon', days, unit: 'celsius' };
}

/** What a kind of request looks like to a contestant. */
export function requestOf(kind: LoadKind, { wire, headers = {} }: Contestant): Pick<Load, 'headers' | 'body'> {
  if (kind === 'list') {
    return { headers: { ...headersOf(wire, 'tools/list'), ...headers }, body: bodyOf(wire, 'tools/list', {}) };
  }
  const name = kind === 'call' ? 'forecast' : 'forecastSlowly';
  const meta = kind === 'stream' ? { progressToken: 1 } : {};
  const params = { name, arguments: { ...argumentsOf(0), days: '%DAYS%' } };
  const body = bodyOf(wire, 'tools/call', params, meta).replace('"%DAYS%"', '%DAYS%');
  return { headers: { ...headersOf(wire, 'tools/call', name), ...headers }, body };
}

/** Makes what a load needs, such as sessions. */
export async function loadOf(kind: LoadKind, server: ServerProcess, length?: number): Promise<Load> {
  const { contestant, url } = server;
  const count = contestant.wire === 'session' ? SESSIONS : 0;
  const sessions = await Promise.all(Array.from({ length: count }, () => openSession(url, contestant.headers)));
  const expected: Expected = {
    call: { contains: CALLED },
    stream: { contains: CALLED, repeated: { text: '"method":"notifications/progress"', times: STEPS } },
    list: { contains: '"name":"forecastSlowly"', ...(length !== undefined && { length }) },
  }[kind];
  return { url, ...requestOf(kind, contestant), sessions, expected };
}
