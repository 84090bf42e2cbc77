/** A series as promtool takes it. */
export interface InputSeries {
  readonly series: string;
  /** In promtool's notation, as `0+10x60`. */
  readonly values: string;
}

/** Samples a series has, the first included. */
const SAMPLES = 60;
const BUCKETS = ['0.005', '0.01', '0.05', '0.1', '1', '+Inf'] as const;

interface Place {
  /** Labels of the target, as `job="r",instance="a"`. */
  readonly target: string;
}

/**
 * What healthy replicas export while they are used: every metric that rules and dashboard read, at one sample a
 * minute for an hour. Nothing fails for the server's reasons, and something is denied and limited.
 */
export function healthyReplicas(count: number): InputSeries[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `rookery-${index}`;
    return replica({
      target: `job="rookery",namespace="prod",instance="10.0.0.${index}:9464",pod="${name}",container="rookery"`,
    });
  }).flat();
}

function replica(place: Place): InputSeries[] {
  return [
    ...state(place),
    ...operations(place),
    ...sessions(place),
    ...redis(place),
    ...processMetrics(place),
    ...histogram(place, 'http_server_request_duration_seconds', {
      labels: 'http_request_method="POST",http_route="/mcp",http_response_status_code="200"',
      perMinute: 600,
    }),
    counter(place, 'http_server_request_duration_seconds_count', {
      labels: 'http_request_method="POST",http_route="/mcp",http_response_status_code="503"',
      perMinute: 0,
    }),
    gauge(place, 'mcp_server_bulkhead_running', 1, 'kind="tool",name="report"'),
    gauge(place, 'mcp_server_bulkhead_waiting', 0, 'kind="tool",name="report"'),
    gauge(place, 'mcp_server_audit_failing', 0),
    counter(place, 'mcp_server_audit_failures_total'),
    counter(place, 'mcp_server_audit_lost_total'),
    counter(place, 'mcp_server_denials_total', { labels: 'reason="authentication"', perMinute: 2 }),
    counter(place, 'mcp_server_limited_total', { labels: 'limit="rate",scope="principal"', perMinute: 2 }),
  ];
}

function state(place: Place): InputSeries[] {
  return [
    gauge(place, 'up', 1),
    gauge(place, 'rookery_build_info', 1, 'version="1.0.0",node_version="v24.0.0"'),
    gauge(place, 'mcp_server_draining', 0),
    gauge(place, 'mcp_server_check_ready', 1, 'check="server"'),
    gauge(place, 'mcp_server_check_ready', 1, 'check="sessions"'),
    gauge(place, 'mcp_server_check_degraded', 0, 'check="sessions"'),
    gauge(place, 'mcp_server_capabilities', 12, 'kind="tool"'),
  ];
}

function operations(place: Place): InputSeries[] {
  const name = 'mcp_server_operation_duration_seconds';
  const call = 'mcp_method_name="tools/call",era="session",gen_ai_tool_name="echo"';
  return [
    ...histogram(place, name, { labels: `${call},error_type=""`, perMinute: 600 }),
    counter(place, `${name}_count`, { labels: `${call},error_type="internal_error"`, perMinute: 0 }),
    counter(place, `${name}_count`, { labels: `${call},error_type="tool_error"`, perMinute: 5 }),
    ...histogram(place, name, {
      labels: 'mcp_method_name="resources/read",era="stateless",mcp_resource_uri="notes://{id}",error_type=""',
      perMinute: 60,
    }),
    ...histogram(place, name, {
      labels: 'mcp_method_name="prompts/get",era="stateless",gen_ai_prompt_name="review",error_type=""',
      perMinute: 60,
    }),
    gauge(place, 'mcp_server_operations_in_flight', 2, 'mcp_method_name="tools/call"'),
  ];
}

function sessions(place: Place): InputSeries[] {
  return [
    gauge(place, 'mcp_server_sessions', 400),
    gauge(place, 'mcp_server_session_limit', 10_000),
    counter(place, 'mcp_server_sessions_started_total', { perMinute: 10 }),
    counter(place, 'mcp_server_sessions_ended_total', { labels: 'reason="deleted"', perMinute: 8 }),
    counter(place, 'mcp_server_unknown_sessions_total', { perMinute: 1 }),
    gauge(place, 'mcp_server_open_streams', 100, 'kind="get"'),
    gauge(place, 'mcp_server_open_streams', 20, 'kind="listen"'),
    gauge(place, 'mcp_server_stream_limit', 10_000),
    counter(place, 'mcp_server_event_log_appends_total', { perMinute: 100 }),
    counter(place, 'mcp_server_event_log_replays_total', { perMinute: 3 }),
    counter(place, 'mcp_server_event_log_gaps_total', { labels: 'reason="gap"', perMinute: 0 }),
  ];
}

function redis(place: Place): InputSeries[] {
  const name = 'mcp_server_redis_command_duration_seconds';
  return [
    gauge(place, 'mcp_server_redis_up', 1),
    ...histogram(place, name, { labels: 'command="enter",outcome="ok"', perMinute: 600 }),
    counter(place, `${name}_count`, { labels: 'command="enter",outcome="error"', perMinute: 0 }),
    ...histogram(place, 'mcp_server_wakeup_latency_seconds', { perMinute: 40 }),
  ];
}

function processMetrics(place: Place): InputSeries[] {
  return [
    gauge(place, 'nodejs_eventloop_utilization_ratio', 0.3),
    gauge(place, 'nodejs_eventloop_lag_p99_seconds', 0.012),
    gauge(place, 'nodejs_heap_size_used_bytes', 80_000_000),
    gauge(place, 'process_resident_memory_bytes', 160_000_000),
    gauge(place, 'process_start_time_seconds', 1_000),
    counter(place, 'process_cpu_seconds_total', { perMinute: 20 }),
  ];
}

interface Flow {
  readonly labels?: string;
  /** 0 if it is left out. */
  readonly perMinute?: number;
}

function gauge(place: Place, name: string, value: number, labels?: string): InputSeries {
  return { series: named(place, name, labels), values: `${value}x${SAMPLES}` };
}

function counter(place: Place, name: string, { labels, perMinute = 0 }: Flow = {}): InputSeries {
  return { series: named(place, name, labels), values: `0+${perMinute}x${SAMPLES}` };
}

/** Nearly all take up to 10 ms, and all up to 50. */
function histogram(place: Place, name: string, { labels = '', perMinute = 0 }: Flow): InputSeries[] {
  const shares = [0.5, 0.95, 1, 1, 1, 1];
  const buckets = BUCKETS.map((le, index) =>
    counter(place, `${name}_bucket`, { labels: joined(labels, `le="${le}"`), perMinute: perMinute * shares[index]! }),
  );
  return [...buckets, counter(place, `${name}_count`, { labels, perMinute })];
}

function named(place: Place, name: string, labels = ''): string {
  return `${name}{${joined(place.target, labels)}}`;
}

function joined(...labels: readonly string[]): string {
  return labels.filter((label) => label !== '').join(',');
}
