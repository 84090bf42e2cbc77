import { createRequire } from 'node:module';
import { startHttp } from '../../../src/app/http.js';

/** Starts the platform and tells, as JSON, which packages of OpenTelemetry that has loaded. */
const app = await startHttp({ PORT: '0', LOG_LEVEL: 'silent', ...process.env });
const loaded = Object.keys(createRequire(import.meta.url).cache)
  .map((path) => /@opentelemetry\/([^/]+)\//.exec(path)?.[1])
  .filter((name) => name !== undefined);
process.stderr.write(`loaded:${JSON.stringify([...new Set(loaded)].sort())}\n`);
await app.close();
process.exit(0);
