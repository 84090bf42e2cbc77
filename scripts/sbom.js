/**
 * Prints the bill of materials of what is shipped, as CycloneDX JSON. npm makes it; but its `--omit dev` also leaves out
 * what something else uses for development only, so here goes what is for development alone.
 */
import { execFileSync } from 'node:child_process';

const MAX_BYTES = 64 * 1024 * 1024;
const text = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx'], { maxBuffer: MAX_BYTES, encoding: 'utf8' });
const bom = JSON.parse(text);

const isShipped = ({ properties = [] }) =>
  !properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');
const components = bom.components.filter(isShipped);
const kept = new Set([bom.metadata.component['bom-ref'], ...components.map((component) => component['bom-ref'])]);
const dependencies = bom.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((each) => kept.has(each)) }));

process.stdout.write(`${JSON.stringify({ ...bom, components, dependencies }, null, 2)}\n`);
