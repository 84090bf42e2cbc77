/** JSON or YAML as it was read: what is taken from it, a test asserts on. */
export type Json = ReturnType<typeof JSON.parse>;
