import { startHttp } from './app/http.js';

await startHttp(process.env);
