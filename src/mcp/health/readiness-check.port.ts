/** What a check found. */
export interface ReadinessState {
  /** False takes this process out of rotation, and keeps a rollout from going on with it. */
  readonly ready: boolean;
  /** True if it serves, but not everything works. */
  readonly degraded?: boolean;
  /** For people. It is shown to whoever can reach `/health/ready`, so it must hold no secret. */
  readonly detail?: string;
}

/** Something that has to be in order before requests are sent to this process. */
export interface ReadinessCheck {
  /** What is checked, as one word: the key in the answer of `/health/ready`. */
  readonly name: string;
  /**
   * Looks at what is known already. Probes come every few seconds and have a deadline, so it asks nobody over a
   * network; whoever holds a connection knows how it is. A check that throws, or takes longer than a second, counts as
   * not ready; it is not called again before it has ended.
   */
  check(): ReadinessState | Promise<ReadinessState>;
}
