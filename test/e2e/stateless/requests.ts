import { type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { ENVELOPE, type Json, statelessHeaders, statelessRequest } from '../../support/wire.js';

type Options = NonNullable<Parameters<typeof statelessRequest>[3]>;

export const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
export const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
export const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

export function callTool(url: string, name: string, args: Json = {}, options: Options = {}): Promise<Response> {
  return statelessRequest(url, 'tools/call', { name, arguments: args }, options);
}

/** The body of a request as it should be. */
export function requestBody(method: string, params: Json = {}, meta: Json = {}): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: { ...ENVELOPE, ...meta } } });
}

/** What came of a request: enough to compare it as a whole. */
export async function answerOf(response: Response): Promise<{ status: number; body: Json }> {
  return { status: response.status, body: (await response.json()) as Json };
}

/** Status and JSON-RPC error code of a refusal. */
export async function refusalOf(response: Response): Promise<{ status: number; code: unknown }> {
  const { error } = (await response.json()) as { error?: { code: unknown } };
  return { status: response.status, code: error?.code };
}

/** The text of a tool's result. */
export async function textOf(response: Response): Promise<string | undefined> {
  const { result } = (await response.json()) as { result: { content: { text: string }[] } };
  return result.content[0]?.text;
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** True if the connection of an earlier request carried this one. */
  readonly reused: boolean;
}

/** A request with headers that `fetch` does not let through, or sends in its own way; nothing is added to them. */
export function plainRequest(
  url: string,
  { method = 'POST', headers = {}, body, agent }: PlainOptions = {},
): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, ...(agent && { agent }) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          reused: outgoing.reusedSocket,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

interface PlainOptions {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  readonly agent?: Agent;
}

/** A right `tools/list`, to be made wrong in one place. */
export const LIST_HEADERS = statelessHeaders('tools/list');

/** A promise and the function that resolves it: what a tool waits for, or what a test waits for. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
