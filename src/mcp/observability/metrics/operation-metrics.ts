import { Counter, type Registry } from 'prom-client';
import type { Era } from '../../protocol/revisions.js';
import type {
  ObservedCapability,
  ObservedOperation,
  OperationEnd,
  OperationFailure,
  OperationWatch,
  ServerObserver,
} from '../server-observer.port.js';
import { BoundHistogram, type HistogramSeries } from './bound-histogram.js';
import { OTHER } from '../method-names.js';
import { METHOD_NAMES, methodName } from './method-label.js';
import { DENIAL_REASONS, LIMITED, denialReason, limitLabels } from './refusal-labels.js';
import { stateGauge } from './state-gauge.js';

/** Seconds: from a look into memory to a tool that computes for minutes. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** Names of tools and so on that get series of their own; capabilities can come and go while the server runs. */
const MAX_NAMES = 1_000;

type NameLabel = 'gen_ai_tool_name' | 'gen_ai_prompt_name' | 'mcp_resource_uri';

/** Where the name of a capability stands. */
const NAME_LABELS: Readonly<Partial<Record<ObservedCapability['kind'], NameLabel>>> = {
  tool: 'gen_ai_tool_name',
  prompt: 'gen_ai_prompt_name',
  resource: 'mcp_resource_uri',
  template: 'mcp_resource_uri',
};

/** Methods that are about one capability: where the name stands, also if there is none. */
const NAMED_METHODS: ReadonlyMap<string, NameLabel> = new Map<string, NameLabel>([
  ['tools/call', 'gen_ai_tool_name'],
  ['prompts/get', 'gen_ai_prompt_name'],
  ['resources/read', 'mcp_resource_uri'],
]);

/** The series of one method and one name, by era and by how the operations ended. */
type Ends = Record<Era | 'none', Partial<Record<OperationFailure | '', HistogramSeries>>>;

/** What is kept of one method. */
class Method {
  inFlight = 0;
  /** Of no capability, or of one that has no name here. */
  readonly unnamed = newEnds();
  /** By name, and by capability so that the name need not be looked up. */
  readonly byName = new Map<string, Ends>();
  readonly byCapability = new WeakMap<ObservedCapability, Ends>();

  constructor(readonly name: string) {}
}

interface MethodWatch extends OperationWatch {
  readonly method: Method;
}

/** Of one method, as its operations are called in each era. */
type Watches = Readonly<Record<Era | 'none', MethodWatch>>;

/** Counts operations: how many, how long, how they ended, and how many run. */
export class OperationMetrics implements ServerObserver {
  private readonly durations: BoundHistogram;
  private readonly denials: Counter<'reason'>;
  private readonly limited: Counter<'limit' | 'scope'>;
  readonly readsHeaders = false;
  /** By the method as the caller calls it. */
  private readonly watches: ReadonlyMap<string, Watches>;
  private readonly others: Watches;
  private names = 0;

  constructor(registry: Registry) {
    const methods = new Map(METHOD_NAMES.map((name) => [name, new Method(name)]));
    const watchesOf = (method: string): Watches => {
      const watch = (era?: Era) => this.watchOf(methods.get(methodName({ method, era })) as Method, era ?? 'none');
      return { stateless: watch('stateless'), session: watch('session'), none: watch() };
    };
    this.watches = new Map(METHOD_NAMES.map((name) => [name, watchesOf(name)]));
    this.others = watchesOf(OTHER);
    this.durations = new BoundHistogram({
      name: 'mcp_server_operation_duration_seconds',
      help: 'Duration of MCP operations in seconds, by what was used and how it ended; error_type is empty on success.',
      buckets: BUCKETS,
      registry,
    });
    stateGauge({
      registry,
      name: 'mcp_server_operations_in_flight',
      help: 'MCP operations that are running or waiting for their turn.',
      labelNames: ['mcp_method_name'],
      read: () => [...methods.values()].map(({ name, inFlight }) => [inFlight, { mcp_method_name: name }]),
    });
    this.denials = new Counter({
      name: 'mcp_server_denials_total',
      help: 'MCP operations that were denied, by what denied them.',
      labelNames: ['reason'],
      registers: [registry],
    });
    for (const reason of DENIAL_REASONS) this.denials.inc({ reason }, 0);
    this.limited = new Counter({
      name: 'mcp_server_limited_total',
      help: 'MCP operations that a limit refused, by the limit and by what it is a limit of.',
      labelNames: ['limit', 'scope'],
      registers: [registry],
    });
    for (const labels of LIMITED) this.limited.inc(labels, 0);
  }

  operation({ method, era }: ObservedOperation): OperationWatch {
    const watch = (this.watches.get(method) ?? this.others)[era ?? 'none'];
    watch.method.inFlight += 1;
    return watch;
  }

  /** Operations of one method and one era need not be told apart: what there is to count comes when they end. */
  private watchOf(method: Method, era: Era | 'none'): MethodWatch {
    return {
      method,
      ended: (end) => {
        method.inFlight -= 1;
        this.seriesOf(method, era, end).observe(end.durationMs / 1_000);
        if (end.failure === 'denied') this.denials.inc({ reason: denialReason(end) });
        if (end.decision === 'limit') this.limited.inc(limitLabels(end.rule));
      },
    };
  }

  private seriesOf(method: Method, era: Era | 'none', { capability, failure }: OperationEnd): HistogramSeries {
    const ended = failure ?? '';
    const ends = capability && NAME_LABELS[capability.kind] ? this.endsOf(method, capability) : method.unnamed;
    return (ends[era][ended] ??= this.durations.series({
      mcp_method_name: method.name,
      era,
      gen_ai_tool_name: '',
      gen_ai_prompt_name: '',
      mcp_resource_uri: '',
      ...this.nameOf(method, ends === method.unnamed ? undefined : capability),
      error_type: ended,
    }));
  }

  private endsOf(method: Method, capability: ObservedCapability): Ends {
    const kept = method.byCapability.get(capability);
    if (kept) return kept;
    const name = `${NAME_LABELS[capability.kind]}:${capability.key}`;
    let ends = method.byName.get(name);
    if (!ends && this.names >= MAX_NAMES) return method.unnamed;
    if (!ends) {
      this.names += 1;
      method.byName.set(name, (ends = newEnds()));
    }
    method.byCapability.set(capability, ends);
    return ends;
  }

  private nameOf({ name }: Method, capability: ObservedCapability | undefined): Partial<Record<NameLabel, string>> {
    const label = capability ? NAME_LABELS[capability.kind] : NAMED_METHODS.get(name);
    return label ? { [label]: capability?.key ?? OTHER } : {};
  }
}

function newEnds(): Ends {
  return { stateless: {}, session: {}, none: {} };
}
