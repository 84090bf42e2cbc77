import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import {
  McpCall,
  McpModule,
  McpRegistry,
  McpResource,
  McpTool,
  reserveStdout,
  serveStdio,
} from '../../../src/index.js';

reserveStdout();
console.log('printed while the application is loaded');

const Name = z.object({ name: z.string() });

@Injectable()
class FixtureTools {
  constructor(private readonly registry: McpRegistry) {}

  @McpTool()
  noisy(): string {
    console.log('printed by console.log');
    console.info({ printed: 'by console.info' });
    process.stdout.write('printed by process.stdout\n');
    new Logger('Fixture').log('logged by Nest');
    return 'quiet';
  }

  @McpTool()
  async greet(call: McpCall): Promise<string> {
    const { name } = await call.elicit(Name, 'What is your name?');
    return `Hello ${name}`;
  }

  @McpTool()
  async count(call: McpCall): Promise<string> {
    for (let step = 1; step <= 3; step++) {
      call.progress(step, 3);
      // The clients forget a call when its response is read, also when progress was read just before.
      await setTimeout(50);
    }
    return 'counted';
  }

  /** Never ends by itself, and keeps the process busy. */
  @McpTool()
  hang(call: McpCall): Promise<string> {
    setInterval(() => undefined, 1_000);
    call.progress(1);
    call.signal.addEventListener('abort', () => console.error('the call was aborted'));
    return new Promise<string>(() => undefined);
  }

  @McpTool()
  async change(): Promise<string> {
    this.registry.addTool({ name: `added-${Date.now()}`, handler: () => 'added' });
    await this.registry.resourceUpdated('notes://one');
    return 'changed';
  }

  @McpResource('notes://one')
  note(): string {
    return 'a note';
  }
}

@Module({ imports: [McpModule.forRoot({ name: 'fixture', version: '1.0.0' })], providers: [FixtureTools] })
class FixtureModule {}

const app = await NestFactory.createApplicationContext(FixtureModule);
const server = serveStdio(app);
process.on('SIGTERM', () => void server.close());
await server.closed;
await app.close();
process.exit(0);
