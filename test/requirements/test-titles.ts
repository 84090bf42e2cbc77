import ts from 'typescript';

/**
 * Titles of the tests that a file runs: first arguments of `it` and `test`, also behind `.each(...)`, `.for(...)` and
 * the like. Titles with placeholders come as they are written. Skipped and todo tests, and those inside a skipped
 * `describe`, are left out: they prove nothing.
 */
export function testTitles(source: string): ReadonlySet<string> {
  const titles = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const [root, ...modifiers] = calleePath(node.expression);
      if (modifiers.includes('skip') || modifiers.includes('todo')) return;
      const title = root === 'it' || root === 'test' ? literalText(node.arguments[0]) : undefined;
      if (title !== undefined) titles.add(title);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('tests.ts', source, ts.ScriptTarget.Latest, true));
  return titles;
}

/** `it.concurrent.each(rows)` -> it, concurrent, each */
function calleePath(callee: ts.Expression): string[] {
  if (ts.isIdentifier(callee)) return [callee.text];
  if (ts.isPropertyAccessExpression(callee)) return [...calleePath(callee.expression), callee.name.text];
  if (ts.isCallExpression(callee)) return calleePath(callee.expression);
  if (ts.isTaggedTemplateExpression(callee)) return calleePath(callee.tag);
  return [];
}

function literalText(node: ts.Expression | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node) ? node.getText().slice(1, -1) : undefined;
}
