import type { RenderJob } from './renderer.js';

/** What the values files of the chart are installed with, by the name of their golden files. */
export const INSTALLATIONS: Readonly<Record<string, RenderJob>> = {
  // values.yaml alone leaves open who may call, which has to be said.
  default: { set: ['config.AUTH_MODE=none'] },
  small: { files: ['values-small.yaml'] },
  production: { files: ['values-production.yaml'] },
  'multi-zone': { files: ['values-production.yaml', 'values-multi-zone.yaml'] },
};

/** As its documentation installs it. */
export function installation(job: RenderJob): RenderJob {
  return { release: 'mcp', namespace: 'tools', ...job };
}
