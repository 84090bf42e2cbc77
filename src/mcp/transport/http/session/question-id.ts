import { randomUUID } from 'node:crypto';
import type { ClientAnswer } from '../../../session/mailbox.port.js';
import { type JsonObject, isJsonObject } from '../../json-rpc.js';

type Check = (result: JsonObject) => boolean;

const ACTIONS: ReadonlySet<unknown> = new Set(['accept', 'decline', 'cancel']);

/** What the result of a request to the client must be at least (2025-11-25 schema), by the method. */
const RESULTS: ReadonlyMap<string, Check> = new Map<string, Check>([
  [
    'elicitation/create',
    ({ action, content }) =>
      ACTIONS.has(action) && (content === undefined || content === null || isJsonObject(content)),
  ],
  [
    'sampling/createMessage',
    ({ role, content, model }) =>
      typeof role === 'string' && typeof model === 'string' && typeof content === 'object' && content !== null,
  ],
  ['roots/list', ({ roots }) => Array.isArray(roots) && roots.every((root) => isJsonObject(root))],
]);

/**
 * Id of a request to the client. It is unguessable, and names the method: whichever replica gets the answer can tell a
 * malformed one before it is taken.
 */
export function newQuestionId(method: string): string {
  return `${method}:${randomUUID()}`;
}

/** Whether an answer has the form that the question's method wants. An error always has. */
export function fitsQuestion(questionId: string, answer: ClientAnswer): boolean {
  if (!('result' in answer)) return true;
  const check = RESULTS.get(questionId.slice(0, questionId.indexOf(':')));
  return check === undefined || check(answer.result);
}
