import type { PromptMessage } from '@modelcontextprotocol/server';
import { text } from './content.js';

/** Turns what a prompt handler returned into a `GetPromptResult`. @throws TypeError for anything else */
export function promptResult(value: unknown, description: string | undefined, origin: string): Record<string, unknown> {
  const described = description === undefined ? {} : { description };
  if (typeof value === 'string') return { ...described, messages: [{ role: 'user', content: text(value) }] };
  if (isMessage(value)) return { ...described, messages: [value] };
  if (Array.isArray(value) && value.every(isMessage)) return { ...described, messages: value };
  if (typeof value === 'object' && value !== null && Array.isArray((value as { messages?: unknown }).messages)) {
    return { ...described, ...value };
  }
  throw new TypeError(`${origin} must return a string, a message, messages, or an object with messages.`);
}

function isMessage(value: unknown): value is PromptMessage {
  return typeof value === 'object' && value !== null && 'role' in value && 'content' in value;
}
