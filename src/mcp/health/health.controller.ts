import {
  Controller,
  Get,
  Header,
  HttpException,
  Inject,
  ServiceUnavailableException,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { type HealthDetails, HealthReport } from './health-report.js';
import { type ManagementAnswer, ManagementRoutes } from './management-routes.js';
import { OffMainPortGuard } from './off-main-port.guard.js';
import { type Finding, Readiness } from './readiness.js';
import { Startup } from './startup.js';

/** Tells an orchestrator whether this process lives, and whether to send it requests; and people how it is. */
@Controller({ path: 'health', version: VERSION_NEUTRAL })
@UseGuards(OffMainPortGuard)
export class HealthController {
  @Inject(HealthCheckService) private readonly health!: HealthCheckService;
  @Inject(HealthIndicatorService) private readonly indicators!: HealthIndicatorService;
  @Inject(HealthReport) private readonly report!: HealthReport;

  constructor(
    private readonly readiness: Readiness,
    private readonly startup: Startup,
    routes: ManagementRoutes,
  ) {
    routes.add('/health/live', () => answered(() => this.live()));
    routes.add('/health/ready', () => answered(() => this.ready()));
    routes.add('/health/startup', () => answered(() => this.started()));
    routes.add('/health', () => answered(() => this.details()));
  }

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

  /**
   * 503 until the registry is compiled and the sessions have been tried, and 200 ever after: until then an orchestrator
   * is not to ask whether the process lives.
   */
  @Get('startup')
  @Header('cache-control', 'no-store')
  started(): { readonly status: 'ok' } {
    if (this.startup.isComplete) return { status: 'ok' };
    throw new ServiceUnavailableException({ status: 'error', message: 'The server is starting.' });
  }

  /** How the server is, for people. 200 as long as it answers, since probes are not to go by it. */
  @Get()
  @Header('cache-control', 'no-store')
  details(): Promise<HealthDetails> {
    return this.report.read();
  }

  private indicator({ name, ready, degraded, detail }: Finding) {
    const indicator = this.indicators.check(name);
    const said: Record<string, unknown> = detail === undefined ? {} : { message: detail };
    if (!ready) return indicator.down(said);
    return degraded ? indicator.degraded(said) : indicator.up(said);
  }
}

/** What Nest would make of it. */
async function answered(work: () => unknown): Promise<ManagementAnswer> {
  try {
    return { status: 200, body: await work() };
  } catch (error) {
    if (error instanceof HttpException) return { status: error.getStatus(), body: error.getResponse() };
    throw error;
  }
}
