import { startHttp } from './app/http.js';
import { refuseToStart } from './app/refuse-to-start.js';
import { stopOnSignals } from './app/stop-on-signals.js';

await startHttp(process.env, stopOnSignals).catch(refuseToStart);
