import { ToolError } from '../protocol/errors.js';
import type { ClientAnswer } from '../session/mailbox.port.js';
import type { JsonObject } from './json-rpc.js';

/** Characters of a client's error message that are passed on to the model. */
const MAX_CLIENT_MESSAGE = 500;

/** The result in a client's answer. @throws ToolError when the client answered with an error */
export function resultOf(answer: ClientAnswer): JsonObject {
  if ('result' in answer) return answer.result;
  throw new ToolError(`The client did not answer: ${answer.error.message.slice(0, MAX_CLIENT_MESSAGE)}`);
}
