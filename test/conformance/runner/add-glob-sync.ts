import { register } from 'node:module';

/**
 * For Node 20, where the suite would not start: it imports `globSync` from `fs`, which came with Node 22. Loaded with
 * `--import`; the commands that need the function are not used here.
 */
register('./add-glob-sync.hooks.js', import.meta.url);
