import { expect, it } from 'vitest';
import { startHttp } from '../../../src/app/http.js';

it('the platform gives a client ten seconds for the head of its request and a minute for the whole, and no end of time to hear the answer', async () => {
  const app = await startHttp({ PORT: '0', HOST: '127.0.0.1' });
  const { requestTimeout, headersTimeout, timeout } = app.getHttpServer();
  await app.close();

  expect({ requestTimeout, headersTimeout, timeout }).toEqual({
    requestTimeout: 60_000,
    headersTimeout: 10_000,
    timeout: 0,
  });
});
