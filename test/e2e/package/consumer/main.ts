import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { McpModule } from 'rookery';
import { OrdersModule } from './orders.module.js';

@Module({ imports: [McpModule.forRoot({ name: 'shop', version: '1.0.0' }), OrdersModule] })
class AppModule {}

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
process.stdout.write(`${await app.getUrl()}/mcp\n`);
