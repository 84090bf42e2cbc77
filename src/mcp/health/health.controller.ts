import { Controller, Get, Header, VERSION_NEUTRAL } from '@nestjs/common';
import { type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { type Finding, Readiness } from './readiness.js';

/** Tells an orchestrator whether this process lives, and whether to send it requests. */
@Controller({ path: 'health', version: VERSION_NEUTRAL })
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly readiness: Readiness,
  ) {}

  /**
   * 200 as long as the event loop turns, whatever else is wrong: a restart mends nothing that lies outside of the
   * process, and must not break off a process that is stopping.
   */
  @Get('live')
  @Header('cache-control', 'no-store')
  live(): { readonly status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 when requests may come, or else 503; the body says which check found what. */
  @Get('ready')
  @Header('cache-control', 'no-store')
  async ready(): Promise<HealthCheckResult> {
    const findings = await this.readiness.find();
    return this.health.check(findings.map((finding) => () => this.indicator(finding)));
  }

  private indicator({ name, ready, degraded, detail }: Finding) {
    const indicator = this.indicators.check(name);
    const said: Record<string, unknown> = detail === undefined ? {} : { message: detail };
    if (!ready) return indicator.down(said);
    return degraded ? indicator.degraded(said) : indicator.up(said);
  }
}
