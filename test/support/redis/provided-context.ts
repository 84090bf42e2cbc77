import 'vitest';

/** What the global setup gives to specs: `inject('redisUrl')`; null where there is no server to run. */
declare module 'vitest' {
  interface ProvidedContext {
    /** One server, shared by all specs of the run: use key names of your own. */
    redisUrl: string | null;
    /** A cluster of three nodes, shared likewise. */
    redisClusterUrl: string | null;
  }
}
