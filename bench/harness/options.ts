import { parseArgs } from 'node:util';

export interface Options {
  /** Names of scenarios; all of them if empty. */
  readonly only: readonly string[];
  /** Times that all servers of a scenario are started anew. */
  readonly starts: number;
  /** Rounds after each start, in which every server has its turn. */
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Calls that must have been answered for a server to be warm; where a machine is busy, it gets up to thrice the time. */
  readonly warmUpCalls: number;
  readonly connections: number;
  /** Streams that are held open at a time. */
  readonly held: number;
  /** Times that a server is started to see how long that takes. */
  readonly coldStarts: number;
  /** The first of the ports that servers are given. */
  readonly port: number;
  readonly json: string | undefined;
  /** Whether docs/performance.md and its charts are written anew. */
  readonly docs: boolean;
}

/** @throws Error when an argument is none that there is */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      starts: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string', default: '50' },
      port: { type: 'string', default: '4200' },
      json: { type: 'string' },
      docs: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  return {
    only: values.only.flatMap((names) => names.split(',')),
    starts: Number(values.starts ?? (quick ? 2 : 3)),
    rounds: Number(values.rounds ?? (quick ? 2 : 6)),
    seconds: Number(values.seconds ?? 1),
    warmUpSeconds: quick ? 1 : 4,
    warmUpCalls: 0,
    connections: Number(values.connections),
    held: quick ? 500 : 5_000,
    coldStarts: quick ? 2 : 5,
    port: Number(values.port),
    json: values.json,
    docs: values.docs,
  };
}
