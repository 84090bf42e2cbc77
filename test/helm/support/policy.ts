import type { Rendered } from './chart.js';

/** Finds what is wrong with everything that was rendered at once, a line each. */
export type Policy = (rendered: Pick<Rendered, 'objects' | 'values'>) => string[];
