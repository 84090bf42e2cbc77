import module from 'node:module';
import { join } from 'node:path';

/**
 * Beside the packages: whoever can write there can change the code itself. The folder for temporary files, Node's own
 * choice, is everybody's, and what lies in a cache is run.
 */
const FOLDER = join(import.meta.dirname, '../../node_modules/.cache/rookery');

/**
 * Has Node keep what it compiles, so that the next start, with the same Node on the same kind of CPU, need not compile
 * it again. Comes before whatever is to be kept is imported, and writes when the process ends. A folder that cannot be
 * written is only read; NODE_COMPILE_CACHE names another, and NODE_DISABLE_COMPILE_CACHE=1 does without.
 */
export function keepCompiledCode(): void {
  // From Node 22 on. It never throws: it says whether it could, which makes no difference here.
  (module as Partial<typeof module>).enableCompileCache?.(FOLDER);
}
