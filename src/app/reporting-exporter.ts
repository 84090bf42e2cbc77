import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { EndedSpans } from './ended-spans.js';

type Done = Parameters<SpanExporter['export']>[1];

/** Reports what could not be sent in one line, where the SDK would write a stack for each batch. */
export class ReportingExporter implements SpanExporter {
  constructor(
    private readonly exporter: SpanExporter,
    private readonly ended: EndedSpans,
  ) {}

  export(spans: ReadableSpan[], done: Done): void {
    this.exporter.export(spans, ({ code, error }) => {
      if (code === SUCCESS) this.ended.sent(spans.length);
      else this.ended.failed(spans.length, reasonOf(error));
      done({ code: SUCCESS });
    });
  }

  async forceFlush(): Promise<void> {
    await this.exporter.forceFlush?.();
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
}

/** ExportResultCode of the SDK, which it does not export here. */
const SUCCESS = 0;

/** Of an error of the network the code says most; of one of HTTP the status. Not what the receiver has answered. */
function reasonOf(error: (Error & { readonly code?: unknown }) | undefined): string {
  const parts = [error?.code, error?.message].filter((part) => part !== undefined && part !== '');
  return parts.length > 0 ? parts.join(' ').slice(0, 200) : 'no reason given';
}
