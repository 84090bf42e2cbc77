import type {
  ClientCapabilities,
  CreateMessageRequestParams,
  CreateMessageResult,
  Root,
} from '@modelcontextprotocol/server';
import type { Revision } from '../protocol/revisions.js';
import type { JsonSchema } from '../protocol/schema-source.js';
import { type JsonObject, isJsonObject } from '../transport/json-rpc.js';

/** What the user is asked for besides the message: a form to fill in, or a page to visit. */
export type ElicitQuestion =
  { readonly mode: 'form'; readonly schema: JsonSchema } | { readonly mode: 'url'; readonly url: string };

/** What the user does: fills in the form (its fields, as they are), declines, or dismisses it. */
export type ElicitReply =
  object | { readonly action: 'accept'; readonly content?: object } | { readonly action: 'decline' | 'cancel' };

/** Answers a question to the user. What it throws fails the call that asked. */
export type ElicitHandler = (message: string, question: ElicitQuestion) => ElicitReply | Promise<ElicitReply>;

/** Answers as the client's model: a full result, or just the text it says. What it throws fails the call that asked. */
export type SampleHandler = (
  params: CreateMessageRequestParams,
) => CreateMessageResult | string | Promise<CreateMessageResult | string>;

/** Names the client's root directories. What it throws fails the call that asked. */
export type RootsHandler = () => readonly Root[] | Promise<readonly Root[]>;

/** What a client can be asked, and what it says. */
export class ClientHandlers {
  elicit: ElicitHandler | undefined;
  sample: SampleHandler | undefined;
  roots: RootsHandler | undefined;

  /** What there are handlers for, in the words of a revision. */
  capabilities(revision: Revision): ClientCapabilities {
    return {
      ...(this.elicit && elicitation(revision)),
      ...(this.sample && { sampling: revision >= '2025-11-25' ? { tools: {}, context: {} } : {} }),
      ...(this.roots && { roots: {} }),
    };
  }

  /** @throws Error when there is no handler for it; whatever the handler throws */
  async answer(method: string, params: JsonObject): Promise<JsonObject> {
    switch (method) {
      case 'ping':
        return {};
      case 'elicitation/create':
        return elicitResult(
          await present(this.elicit, 'onElicit', method)(String(params['message']), question(params)),
        );
      case 'sampling/createMessage':
        return sampleResult(
          await present(this.sample, 'onSample', method)(params as unknown as CreateMessageRequestParams),
        );
      case 'roots/list':
        return { roots: await present(this.roots, 'onRoots', method)() };
      default:
        throw new Error(`The server asked the test client for ${method}, which no client knows.`);
    }
  }
}

/** 2025-03-26 has no elicitation, 2025-06-18 knows forms alone. */
function elicitation(revision: Revision): ClientCapabilities {
  if (revision >= '2025-11-25') return { elicitation: { form: {}, url: {} } };
  return revision >= '2025-06-18' ? { elicitation: {} } : {};
}

function present<T>(handler: T | undefined, name: string, method: string): T {
  if (handler) return handler;
  throw new Error(`The server asked the test client for ${method}. Give the client an answer with ${name}().`);
}

function question({ mode, url, requestedSchema }: JsonObject): ElicitQuestion {
  return mode === 'url'
    ? { mode: 'url', url: String(url) }
    : { mode: 'form', schema: isJsonObject(requestedSchema) ? requestedSchema : {} };
}

/** An object with an action of the protocol and nothing beside it that no result has is a result; others are content. */
function elicitResult(reply: ElicitReply): JsonObject {
  const { action, content, ...others } = reply as JsonObject;
  const isResult = Object.keys(others).length === 0;
  if (isResult && content === undefined && (action === 'decline' || action === 'cancel')) return { action };
  if (isResult && action === 'accept') return { action, ...(content !== undefined && { content }) };
  return { action: 'accept', content: reply };
}

function sampleResult(reply: CreateMessageResult | string): JsonObject {
  if (typeof reply !== 'string') return { ...reply };
  return { role: 'assistant', model: 'test-model', stopReason: 'endTurn', content: { type: 'text', text: reply } };
}
