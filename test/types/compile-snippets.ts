import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));

/** What the compiler says of each snippet, by its name; the snippets exist in memory alone. */
export function compileSnippets(snippets: Readonly<Record<string, string>>): ReadonlyMap<string, readonly string[]> {
  const files = new Map(
    Object.entries(snippets).map(([name, text], index) => [`${HERE}snippet-${index}.ts`, { name, text }]),
  );
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path)).config,
    ts.sys,
    ROOT,
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists.call(host, path);
  host.readFile = (path) => files.get(path)?.text ?? readFile.call(host, path);
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const file = files.get(path);
    return file
      ? ts.createSourceFile(path, file.text, languageVersion, true)
      : getSourceFile.call(host, path, languageVersion, ...rest);
  };

  const program = ts.createProgram([...files.keys()], { ...options, declaration: false }, host);
  return new Map(
    [...files].map(([path, { name }]) => {
      const source = program.getSourceFile(path);
      const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      return [name, diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))];
    }),
  );
}
