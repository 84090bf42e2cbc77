import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../../../src/app/app.module.js';
import { startHttp } from '../../../src/app/http.js';
import { refuseToStart } from '../../../src/app/refuse-to-start.js';
import { stopOnSignals } from '../../../src/app/stop-on-signals.js';
import { SoakTools } from '../../soak/server/soak.tools.js';

/**
 * What `src/main.ts` starts, with the tools of the soak besides, as a team's fork has tools of its own. Each response
 * names the process.
 */
const forRoot = AppModule.forRoot.bind(AppModule);
AppModule.forRoot = (config) => {
  const module = forRoot(config);
  return { ...module, providers: [...(module.providers ?? []), SoakTools] };
};

// The test that started it is gone.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();
await startHttp(process.env, (app: NestFastifyApplication) => {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', async (_request, reply) => void reply.header('x-replica', String(process.pid)));
  stopOnSignals(app);
}).catch(refuseToStart);
