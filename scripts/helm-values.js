/**
 * Writes the table of values into helm/rookery/README.md, from the comments of values.yaml; with `--check` it only says
 * whether the table is as it should be. A comment that begins with `# --` describes the value below it, with all that is
 * within. It is an error if one describes nothing, or nothing describes a value.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { LineCounter, isMap, parseDocument } from 'yaml';

const CHART = new URL('../helm/rookery/', import.meta.url);
const BEGIN = '<!-- values: begin (npm run helm:docs) -->\n';
const END = '<!-- values: end -->';

const text = readFileSync(new URL('values.yaml', CHART), 'utf8');
const lines = text.split('\n');
const counter = new LineCounter();
const document = parseDocument(text, { lineCounter: counter });

/** What the comment right above a line says, or nothing. */
function commentAbove(line) {
  const above = [];
  for (let index = line - 2; index >= 0 && lines[index].trim().startsWith('#'); index -= 1) above.unshift(lines[index]);
  const begin = above.findLastIndex((each) => each.trim().startsWith('# -- '));
  const said = above.slice(begin).map((each) => each.trim().replace(/^#( --)? ?/, ''));
  return begin === -1 ? undefined : said.join(' ');
}

const cell = (value) => value.replaceAll('|', '\\|');

function rowsOf(map, path = []) {
  return map.items.flatMap(({ key, value }) => {
    const name = [...path, key.value];
    const { line } = counter.linePos(key.range[0]);
    const meaning = commentAbove(line);
    if (meaning !== undefined) {
      return [`| \`${name.join('.')}\` | \`${cell(JSON.stringify(value?.toJSON() ?? null))}\` | ${cell(meaning)} |`];
    }
    if (isMap(value) && value.items.length > 0) return rowsOf(value, name);
    throw new Error(`values.yaml:${line}: ${name.join('.')} has no comment. Describe it above, as "# -- …".`);
  });
}

const rows = rowsOf(document.contents);
const comments = lines.filter((line) => line.trim().startsWith('# -- ')).length;
if (comments !== rows.length) {
  throw new Error(`values.yaml has ${comments} comments "# -- …", but ${rows.length} values under one of their own.`);
}

const file = new URL('README.md', CHART);
const page = readFileSync(file, 'utf8');
const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
if (before === -1 || after < before) throw new Error(`helm/rookery/README.md lacks ${BEGIN.trim()} or ${END}.`);
const table = ['', '| value | default | meaning |', '| --- | --- | --- |', ...rows, '', ''].join('\n');
const expected = page.slice(0, before + BEGIN.length) + table + page.slice(after);

if (!process.argv.includes('--check')) writeFileSync(file, expected);
else if (page !== expected) {
  console.error('helm/rookery/README.md is not what values.yaml says. Run npm run helm:docs.');
  process.exitCode = 1;
}
