import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** How many requests go through Fastify while something is done. */
export async function throughFastify(work: () => Promise<unknown>): Promise<number> {
  let requests = 0;
  const count = (): void => void (requests += 1);
  subscribe('tracing:fastify.request.handler:start', count);
  try {
    await work();
  } finally {
    unsubscribe('tracing:fastify.request.handler:start', count);
  }
  return requests;
}
