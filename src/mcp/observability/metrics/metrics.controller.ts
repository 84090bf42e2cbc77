import { Controller, Get, Header, Res, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { PrometheusController } from '@willsoto/nestjs-prometheus';
import type { FastifyReply } from 'fastify';
import { OffMainPortGuard } from '../../health/off-main-port.guard.js';
import { MetricsPage } from './metrics-page.js';

/** Serves what Prometheus scrapes. Its path comes from `PrometheusModule`. */
@Controller({ version: VERSION_NEUTRAL })
@UseGuards(OffMainPortGuard)
export class MetricsController extends PrometheusController {
  constructor(private readonly page: MetricsPage) {
    super();
  }

  @Get()
  @Header('cache-control', 'no-store')
  override index(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.header('content-type', this.page.contentType);
    return this.page.text();
  }
}
