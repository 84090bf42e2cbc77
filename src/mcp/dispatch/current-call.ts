import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import type { McpCall } from '../protocol/mcp-call.js';

const storage = new AsyncLocalStorage<McpCall>();

/** Runs a function, and all it starts, inside a call. */
export function runInCall<T>(call: McpCall, run: () => T): T {
  return storage.run(call, run);
}

/**
 * The call that the running code belongs to, for services far below a handler.
 *
 * @example
 * ```ts
 * constructor(private readonly current: CurrentCall) {}
 * audit() { return this.current.get().principal.subject; }
 * ```
 */
@Injectable()
export class CurrentCall {
  /** @throws Error outside of a call */
  get(): McpCall {
    const call = storage.getStore();
    if (!call) throw new Error('No MCP call is running here. Use CurrentCall.find() where there may be none.');
    return call;
  }

  find(): McpCall | undefined {
    return storage.getStore();
  }
}
