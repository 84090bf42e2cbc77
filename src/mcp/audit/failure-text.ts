import { cut } from './cut.js';

const MAX_TEXT = 500;
/** Of causes of causes, which may run in a circle. */
const MAX_DEPTH = 8;

/**
 * Why something failed, for operators: what the first of its causes says, since an error around it often says the same
 * of all of them. One line of 500 characters at most.
 */
export function failureText(error: unknown): string {
  let text = textOf(error) ?? String(error);
  let cause = causeOf(error);
  for (let depth = 0; depth < MAX_DEPTH && cause !== undefined; depth++) {
    text = textOf(cause) ?? text;
    cause = causeOf(cause);
  }
  return cut(text.replaceAll(/\s+/g, ' '), MAX_TEXT);
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

/** @returns undefined for what is no error, or one that says nothing: one of several addresses has but a code */
function textOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code: unknown = Reflect.get(error, 'code');
  return error.message || (typeof code === 'string' && code) || undefined;
}
