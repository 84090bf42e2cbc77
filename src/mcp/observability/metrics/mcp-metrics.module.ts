import { type DynamicModule, Module } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { type Registry, register } from 'prom-client';
import { MetricsController } from './metrics.controller.js';
import { MetricsPage } from './metrics-page.js';
import { COLLECTS_PROCESS_METRICS, MetricsRecorder } from './metrics-recorder.js';

export interface McpMetricsOptions {
  /** Where metrics are served. Default `/metrics`. `false` if something else serves those of `registry`. */
  readonly path?: string | false;
  /**
   * Where the metrics of this application are put until it ends. Each application of a process needs one of its own.
   * Default: one that nothing else sees; with `path: false` that of prom-client (`register`).
   */
  readonly registry?: Registry;
  /**
   * Whether those of the process (`process_*`, `nodejs_*`) are among them; collected once, into prom-client's
   * `register`, unless somebody else has done it. Default true.
   */
  readonly defaultMetrics?: boolean;
}

/**
 * Serves `GET /metrics` in the text format of Prometheus for an application that imports `McpModule`. It lies outside
 * of the MCP endpoint: it needs no credentials, and any `Host` may ask, so it is to be reached from within only. With
 * `McpOptions.management` it is on that port alone.
 *
 * Metrics that teams make with `makeCounterProvider()` and the like of `@willsoto/nestjs-prometheus` are served with it.
 * An application that has a `PrometheusModule` of its own says `path: false`, and serves all of them itself.
 *
 * @example
 * ```ts
 * @Module({ imports: [McpModule.forRoot(), McpMetricsModule.forRoot(), RefundModule] })
 * export class AppModule {}
 * ```
 */
@Module({})
export class McpMetricsModule {
  static forRoot(options: McpMetricsOptions = {}): DynamicModule {
    const { path = '/metrics', registry = path === false ? register : undefined, defaultMetrics = true } = options;
    return {
      module: McpMetricsModule,
      // The controller is PrometheusModule's, and has to find the page.
      global: true,
      imports: path === false ? [] : [servedAt(path)],
      providers: [
        { provide: MetricsPage, useValue: new MetricsPage(path, registry) },
        { provide: COLLECTS_PROCESS_METRICS, useValue: defaultMetrics },
        MetricsRecorder,
      ],
      exports: [MetricsPage],
    };
  }
}

function servedAt(path: string): DynamicModule {
  // PrometheusModule writes the path onto the class; each application has one of its own.
  class ControllerOfApplication extends MetricsController {}
  // Metrics of the process are collected later, when everybody else who wants to has done so.
  return PrometheusModule.register({ path, controller: ControllerOfApplication, defaultMetrics: { enabled: false } });
}
