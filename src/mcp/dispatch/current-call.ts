import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Scope } from '@nestjs/common';
import type { McpCall } from '../protocol/mcp-call.js';

/** There as soon as somebody may read it: with it all that a call starts costs more, by a sixth of the whole call. */
let storage: AsyncLocalStorage<McpCall> | undefined;

/** Runs something, and all it starts, inside a call. */
export function runInCall<T>(call: McpCall, work: { run(): T }): T {
  return storage ? storage.run(call, runWork<T>, work) : work.run();
}

function runWork<T>(work: { run(): T }): T {
  return work.run();
}

/**
 * The call that the running code belongs to, for services far below a handler. Inject it: calls are followed only if
 * somebody does, and who looks it up by other means (`ModuleRef.resolve()`) finds those that begin later.
 *
 * @example
 * ```ts
 * constructor(private readonly current: CurrentCall) {}
 * audit() { return this.current.get().principal.subject; }
 * ```
 */
@Injectable({ scope: Scope.TRANSIENT })
export class CurrentCall {
  /** @internal From now on calls are followed. */
  static follow(): void {
    storage ??= new AsyncLocalStorage();
  }

  constructor() {
    CurrentCall.follow();
  }

  /** @throws Error outside of a call */
  get(): McpCall {
    const call = this.find();
    if (!call) throw new Error('No MCP call is running here. Use CurrentCall.find() where there may be none.');
    return call;
  }

  find(): McpCall | undefined {
    return storage?.getStore();
  }
}
