import { startHttp } from './app/http.js';
import { stopOnSignals } from './app/stop-on-signals.js';

await startHttp(process.env, stopOnSignals);
