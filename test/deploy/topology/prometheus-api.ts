export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

export interface RuleState {
  readonly name: string;
  readonly type: 'recording' | 'alerting';
  readonly query: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
}

export interface AlertState {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

export interface TargetState {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
}

/** What Prometheus says of itself. @see https://prometheus.io/docs/prometheus/latest/querying/api/ */
export class PrometheusApi {
  constructor(private readonly url: string) {}

  /** @throws Error with the reason, when the expression cannot be evaluated */
  async query(expr: string): Promise<readonly Sample[]> {
    const { result } = await this.get<{ result: readonly Sample[] }>('query', { query: expr });
    return result;
  }

  async rules(): Promise<readonly RuleState[]> {
    const { groups } = await this.get<{ groups: readonly { rules: readonly RuleState[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  async alerts(): Promise<readonly AlertState[]> {
    const { alerts } = await this.get<{ alerts: readonly AlertState[] }>('alerts');
    return alerts;
  }

  async targets(): Promise<readonly TargetState[]> {
    const { activeTargets } = await this.get<{ activeTargets: readonly TargetState[] }>('targets');
    return activeTargets;
  }

  private async get<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${error}`);
    return data;
  }
}
