import { Injectable, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpCall, McpTool } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';

@Injectable()
class CapabilityTools {
  @McpTool({ description: 'Says what can be asked of its client.' })
  whatCanBeAsked(call: McpCall): string {
    return (['elicit', 'elicitUrl', 'sample', 'roots'] as const).filter((ask) => call.can(ask)).join(' ');
  }
}

@Module({ providers: [CapabilityTools] })
class CapabilityModule {}

describe.each(['stateless', 'session'] as const)('call.can, %s era', (era) => {
  it.each([
    [{}, ''],
    [{ elicitation: {} }, 'elicit'],
    [{ elicitation: { url: {} } }, 'elicitUrl'],
    [{ elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }, 'elicit elicitUrl sample roots'],
  ])('follows the capabilities %j', async (capabilities, expected) => {
    await using app = await createMcpTestApp(CapabilityModule);

    const result = await app.client({ era, capabilities }).call('whatCanBeAsked', {});

    expect(result.content).toEqual([{ type: 'text', text: expected }]);
  });
});

it('nothing can be asked where the server answers with plain JSON only', async () => {
  await using app = await createMcpTestApp(CapabilityModule, { options: { http: { jsonOnly: true } } });

  const result = await app.client({ era: 'session', capabilities: { elicitation: {} } }).call('whatCanBeAsked', {});

  expect(result.content).toEqual([{ type: 'text', text: '' }]);
});
