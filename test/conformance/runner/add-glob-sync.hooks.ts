import type { ResolveHook } from 'node:module';

const FS_WITH_GLOB_SYNC = `
  import fs from 'node:fs';
  export * from 'node:fs';
  export default fs;
  export const globSync = () => { throw new Error('fs.globSync needs Node 22.'); };
`;

/** Gives the suite, and nobody else, an `fs` that has the export it asks for. */
export const resolve: ResolveHook = async (specifier, context, nextResolve) =>
  specifier === 'fs' && context.parentURL?.includes('/@modelcontextprotocol/conformance/dist/')
    ? { url: `data:text/javascript,${encodeURIComponent(FS_WITH_GLOB_SYNC)}`, shortCircuit: true }
    : nextResolve(specifier, context);
