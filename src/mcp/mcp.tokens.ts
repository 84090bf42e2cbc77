/** What the module is configured with. */
export const MCP_OPTIONS = Symbol('McpOptions');
/** What keeps sessions, and whatever else replicas share. */
export const SESSION_BACKEND = Symbol('SessionBackend');
