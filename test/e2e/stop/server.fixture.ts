import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig } from '../../../src/app/config.js';
import { mcpOptions } from '../../../src/app/mcp-options.js';
import { stopOnSignals } from '../../../src/app/stop-on-signals.js';
import { McpCall, McpHealthModule, McpModule, McpTool } from '../../../src/index.js';

@Injectable()
class SlowTools {
  private done!: () => void;
  private readonly whenDone = new Promise<void>((resolve) => (this.done = resolve));

  /** Works until `finish` is called. */
  @McpTool()
  async work(call: McpCall): Promise<string> {
    call.progress(1);
    await this.whenDone;
    return 'worked';
  }

  @McpTool()
  finish(): string {
    this.done();
    return 'finished';
  }
}

const config = readConfig(process.env);

@Module({ imports: [McpModule.forRoot(mcpOptions(config, '1.0.0')), McpHealthModule], providers: [SlowTools] })
class FixtureModule {}

const app = await NestFactory.create<NestFastifyApplication>(FixtureModule, new FastifyAdapter());
stopOnSignals(app);
await app.listen(config.PORT, config.HOST);
console.log(`MCP is served on ${await app.getUrl()}${config.MCP_PATH}`);
