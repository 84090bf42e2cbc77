/** Paths of whoever runs the server, below which nobody else is served: health and metrics. */
export const MANAGEMENT_PATHS = /^\/(health|metrics)(\/|$)/;
