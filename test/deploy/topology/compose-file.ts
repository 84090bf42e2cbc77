import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface ComposeService {
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly deploy?: { readonly replicas?: number | string };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
}

/**
 * Reads a compose file as `docker compose` does with this environment and no `.env`: `${NAME}`, `${NAME:-default}`.
 * @throws Error for what is meant to be replaced and is written in another way
 */
export function readComposeFile(path: string, env: Readonly<Record<string, string>> = {}): ComposeFile {
  const text = readFileSync(path, 'utf8').replaceAll(
    /\$\{(\w+)(?::-([^}]*))?\}|\$/g,
    (whole, name?: string, otherwise = '') => {
      if (name === undefined) throw new Error(`${path} holds a "${whole}" that this reader does not know.`);
      return env[name] || otherwise;
    },
  );
  return parse(text, { merge: true }) as ComposeFile;
}
