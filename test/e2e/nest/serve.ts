import type { ModuleMetadata } from '@nestjs/common';
import { type McpTestApp, type McpTestAppOptions, createMcpTestApp } from '../../../src/testing.js';

export const ERAS = ['stateless', 'session'] as const;

/** Starts an application of one module, on a real socket. What its handlers throw is not logged to the console. */
export function serve(metadata: ModuleMetadata, setup: McpTestAppOptions = {}): Promise<McpTestApp> {
  class TestModule {}
  return createMcpTestApp({ module: TestModule, ...metadata }, { logger: false, ...setup });
}

/** What is said when the application cannot start. */
export async function bootError(metadata: ModuleMetadata): Promise<string> {
  try {
    await using app = await serve(metadata);
    return `started on ${app.url}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Holds everybody who arrives until all of them have. */
export function barrier(parties: number): { arrive(): Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  let arrived = 0;
  return {
    arrive: () => {
      if (++arrived === parties) open();
      return opened;
    },
  };
}
