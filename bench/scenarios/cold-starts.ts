import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { RAW_FASTIFY, fastmcp, mcpNest, rookery, sdkV1, sdkV2 } from '../contestants.js';
import type { Contestant } from '../harness/contestant.js';
import { CALLED, requestOf } from '../harness/load.js';
import { PostClient } from '../harness/node-clients.js';
import { ServerProcess } from '../harness/server-process.js';
import { median } from '../harness/statistics.js';
import { bodyOf, headersOf } from '../harness/wire.js';
import { type Scenario, atMost } from './scenario.js';

const RETRY_MS = 5;

const APPLICATION = { file: 'dist/main.js', wire: 'stateless' } as const;
/** As if it had never been started on this machine. */
const FIRST_START: Contestant = {
  ...APPLICATION,
  name: 'Rookery, dist/main.js, first start',
  env: { NODE_DISABLE_COMPILE_CACHE: '1' },
};
/** As in the image, which brings what Node has compiled. */
const LATER_START: Contestant = { ...APPLICATION, name: 'Rookery, dist/main.js, later starts' };

export const COLD_STARTS: Scenario = {
  name: 'cold',
  title: 'Cold start to the first answered call',
  async run({ coldStarts }) {
    const peers = [mcpNest('stateless'), sdkV2(), sdkV1('stateless'), fastmcp('stateless')];
    const contestants = [FIRST_START, LATER_START, rookery(), RAW_FASTIFY, ...peers];
    const took = contestants.map((): number[] => []);
    // What is compiled is kept when a process ends.
    await start(LATER_START);
    for (let n = 0; n < coldStarts; n += 1) {
      for (const [index, contestant] of contestants.entries()) took[index]?.push(await start(contestant));
    }
    const seconds = took.map((all) => median(all) / 1_000);
    return {
      figures: contestants.map(({ name }, n) => ({ name, values: { seconds: (seconds[n] ?? NaN).toFixed(2) } })),
      goals: [
        atMost('cold start of the sample application, first ever, s', seconds[0] ?? NaN, 1.2),
        atMost('cold start of the sample application, later ones, s', seconds[1] ?? NaN, 1.2),
      ],
    };
  },
};

/** Milliseconds from the start of the process to the right answer. */
async function start(contestant: Contestant): Promise<number> {
  const { headers, body, answer } = contestant.file === APPLICATION.file ? sampleCall() : forecastCall(contestant);
  const began = performance.now();
  const server = ServerProcess.spawn(contestant);
  try {
    await server.listening(RETRY_MS);
    for (;;) {
      const client = new PostClient(server.url, headers, 'none');
      try {
        await client.open();
        if ((await client.call(body)).includes(answer)) return performance.now() - began;
        throw new Error(`${contestant.name} gave a wrong answer.`);
      } catch (error) {
        if (performance.now() - began > 60_000) throw error;
        await delay(RETRY_MS);
      } finally {
        client.close();
      }
    }
  } finally {
    await server.stop();
  }
}

function forecastCall(contestant: Contestant) {
  const { headers, body } = requestOf('call', contestant);
  return {
    headers,
    body: body.replace('%ID%', '1').replaceAll('%DAYS%', '3'),
    answer: CALLED.replaceAll('%DAYS%', '3'),
  };
}

/** A tool of the sample that needs no service behind it. */
function sampleCall() {
  const name = 'listTags';
  return {
    headers: headersOf('stateless', 'tools/call', name),
    body: bodyOf('stateless', 'tools/call', { name, arguments: {} }).replace('%ID%', '1'),
    answer: '"structuredContent":{',
  };
}
