import type { ClientRequest } from './call-origin.js';

/** How questions to the client reach it, and how what must happen once does. One implementation an era. */
export interface ClientAsks {
  /**
   * @param accepts says whether an answer can be used; one that cannot is asked for again where the era allows it
   * @throws CallSuspended when the call ends here and runs again with the answer
   */
  ask(request: ClientRequest, key: string | undefined, accepts: AnswerCheck): Promise<ClientResult>;
  /** Whether the client would take such a request at all. */
  can(request: ClientRequest): boolean;
  once<T>(name: string, effect: () => T | Promise<T>): Promise<T>;
}

export type ClientResult = Readonly<Record<string, unknown>>;
export type AnswerCheck = (answer: ClientResult) => boolean | Promise<boolean>;
