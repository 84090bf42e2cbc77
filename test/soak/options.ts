import { parseArgs } from 'node:util';
import { SABOTAGES, type SabotageKind } from './sabotage.js';

/** What disturbs the cluster, in the order in which it does; `steady` is nothing. */
export const DISTURBANCES = ['steady', 'rolling', 'kill', 'redis'] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

export interface SoakOptions {
  /** Of all phases together. */
  readonly minutes: number;
  readonly clients: number;
  readonly replicas: number;
  readonly phases: readonly Disturbance[];
  /** Changes published a second. */
  readonly rate: number;
  /** File for the result. */
  readonly json: string | undefined;
  readonly sabotage: SabotageKind | undefined;
}

export const USAGE = `npm run soak -- [options]

  --minutes <n>     time of all phases together; default 3
  --clients <n>     half of them with a session, half without; at least 6, default 30
  --replicas <n>    server processes; at least 2, default 3
  --phases <list>   of ${DISTURBANCES.join(', ')}; default all
  --rate <n>        changes published a second; default 4, at most 5
  --json <file>     writes counts, incidents and what the replicas logged to a file
  --sabotage <kind> makes one client count wrong on purpose, so that the soak must fail:
                    ${SABOTAGES.join(', ')}`;

/** @throws Error that says what is wrong with the arguments */
export function readOptions(args: readonly string[]): SoakOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: text, clients: text, replicas: text, phases: text, rate: text, json: text, sabotage: text },
  });
  const phases = values.phases?.split(',') ?? [...DISTURBANCES];
  return {
    minutes: number('--minutes', values.minutes ?? '3', { min: 0.1, max: 10_000 }),
    clients: number('--clients', values.clients ?? '30', { min: 6, max: 1_000 }),
    replicas: number('--replicas', values.replicas ?? '3', { min: 2, max: 20 }),
    // Faster, and a change of a resource might come so late that it is taken for the next one.
    rate: number('--rate', values.rate ?? '4', { min: 0.1, max: 5 }),
    phases: DISTURBANCES.filter((name) => phases.map((phase) => oneOf('--phases', phase, DISTURBANCES)).includes(name)),
    json: values.json,
    sabotage: values.sabotage === undefined ? undefined : oneOf('--sabotage', values.sabotage, SABOTAGES),
  };
}

function number(name: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = Number(text);
  if (text !== '' && value >= min && value <= max) return value;
  throw new Error(`${name} must be a number from ${min} to ${max}.`);
}

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((each) => each === text);
  if (found === undefined) throw new Error(`${name} knows no "${text}", but ${known.join(', ')}.`);
  return found;
}
