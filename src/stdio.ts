/**
 * Serves the platform on stdin and stdout. A desktop host is to run `node dist/stdio.js` after `npm run build`; npm
 * itself prints to stdout unless it is told to be silent (`npm run --silent start:stdio`).
 */
import { keepCompiledCode } from './app/compile-cache.js';

keepCompiledCode();
// Before the application is even loaded: what a module prints while it is imported must not reach stdout either.
const { reserveStdout } = await import('./index.js');
reserveStdout();
const { startLogging } = await import('./app/logging.js');
await startLogging(process.env, process.stderr);
const { startStdio } = await import('./app/stdio.js');
const { refuseToStart } = await import('./app/refuse-to-start.js');
await startStdio(process.env).catch(refuseToStart);
