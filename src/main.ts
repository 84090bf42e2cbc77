import { keepCompiledCode } from './app/compile-cache.js';

/** Before anything is loaded: as process 1 of a container a process without a handler would not hear that it is to stop. */
const stopEarly = (): never => process.exit(143);
process.once('SIGTERM', stopEarly);

keepCompiledCode();
const [{ startHttp }, { startLogging }, { refuseToStart }, { stopOnSignals }] = await Promise.all([
  import('./app/http.js'),
  import('./app/logging.js'),
  import('./app/refuse-to-start.js'),
  import('./app/stop-on-signals.js'),
]);
await startLogging(process.env);
await startHttp(process.env, (app) => {
  process.off('SIGTERM', stopEarly);
  stopOnSignals(app);
})
  // With `--try` it stops as soon as it serves: the build of the image fills Node's cache so, and sees that it starts.
  .then(() => process.argv.includes('--try') && process.emit('SIGTERM'))
  .catch(refuseToStart);
