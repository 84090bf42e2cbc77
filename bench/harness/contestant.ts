import type { Wire } from './wire.js';

/** A server in one configuration. */
export interface Contestant {
  /** Short, and unique within a scenario. */
  readonly name: string;
  /** What is run, from the folder of the project. */
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  readonly path?: string;
  readonly wire: Wire;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether wrong arguments are refused. The raw ones look at nothing. Default true. */
  readonly validates?: boolean;
  /** Whether it takes many times as long for an answer, and is measured in fewer and longer rounds. Default false. */
  readonly isSlow?: boolean;
  /** Name of what it is compared with. Default: the first of those it is measured with. */
  readonly against?: string;
}
