import { Injectable, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  ANONYMOUS,
  Authenticator,
  type Credentials,
  McpCall,
  McpError,
  McpModule,
  McpTool,
} from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { ERAS } from '../nest/serve.js';

@Injectable()
class KeyAuthenticator implements Authenticator {
  authenticate({ headers }: Credentials) {
    if (headers['x-key'] !== 'k') throw new McpError('UNAUTHORIZED', 'Send your key.');
    return { ...ANONYMOUS, subject: 'ann' };
  }
}

@Injectable()
class WhoTools {
  @McpTool({ description: 'Says who calls.' })
  whoAmI(call: McpCall): string {
    return call.principal.subject;
  }
}

@Module({
  imports: [McpModule.forRoot({ name: 'shop', adapters: [{ provide: Authenticator, useClass: KeyAuthenticator }] })],
  providers: [WhoTools],
})
class ShopModule {}

describe.each(ERAS)('an adapter of the team, %s era', (era) => {
  it('takes the place of the one the module brings', async () => {
    await using app = await createMcpTestApp(ShopModule, { testPrincipals: false });

    const result = await app.client({ era, headers: { 'x-key': 'k' } }).call('whoAmI', {});

    expect(result.content).toEqual([{ type: 'text', text: 'ann' }]);
    await expect(app.client({ era }).call('whoAmI', {})).rejects.toMatchObject({ code: 401, status: 401 });
  });
});
