/** How the HTTP endpoint behaves. */
export interface HttpOptions {
  /** Path of the endpoint. */
  readonly path: string;
  /** Host names (without port) a request may be addressed to; `*` allows any. */
  readonly allowedHosts: readonly string[];
  /** Origins (scheme, host and port) a browser may call from; loopback origins are allowed if the host list is loopback. */
  readonly allowedOrigins: readonly string[];
  /** Milliseconds by which the event loop may be late on average over a second before requests are refused; 0 never refuses. */
  readonly maxEventLoopDelayMs: number;
  /** Bytes a request body may have. */
  readonly maxBodyBytes: number;
  /** Levels of objects and arrays a request body may nest. */
  readonly maxBodyDepth: number;
  /** Answer with plain JSON only, for proxies that cannot stream: no notifications, no questions to clients with a session, no GET stream. */
  readonly jsonOnly: boolean;
  /** Milliseconds after which an answer that is not ready becomes a stream. */
  readonly streamAfterMs: number;
  /** Milliseconds between two keep-alive comments on a stream. */
  readonly keepAliveMs: number;
  /** Milliseconds a client is asked to wait before it reconnects to a stream. */
  readonly retryMs: number;
  /** Bytes kept for a reader that does not keep up, before its connection is closed. */
  readonly maxBufferedBytes: number;
  /** Milliseconds a reader may stand still before its connection is closed; it can resume. */
  readonly stalledReaderMs: number;
  /** Milliseconds a client of a session may take to answer a question of a running call. */
  readonly askTimeoutMs: number;
  /** Messages a 2025-03-26 batch may have. */
  readonly maxBatch: number;
  /** `subscriptions/listen` and GET streams this process holds open at a time. */
  readonly maxStreams: number;
  /** How many of them one principal may hold. Anonymous callers are not one principal: `maxStreams` alone binds them. */
  readonly maxStreamsPerPrincipal: number;
  /** Resources one session or listener may subscribe to. */
  readonly maxSubscriptions: number;
  /** Milliseconds a server that stops goes on taking connections, until balancers have heard of it. */
  readonly drainDelayMs: number;
  /** Milliseconds at most in which a server that stops ends its streams; it ends some 500 a second. */
  readonly drainStreamsMs: number;
  /** Milliseconds that running calls have, from the beginning of a stop, until they are stopped with an error. */
  readonly drainGraceMs: number;
}
