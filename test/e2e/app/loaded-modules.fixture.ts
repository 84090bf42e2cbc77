import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

/** Imported before a process begins: writes all scripts that have been loaded when it ends, as JSON, to LOADED_FILE. */
const loaded: string[] = [];
const session = new Session();
session.connect();
session.on('Debugger.scriptParsed', ({ params }) => loaded.push(params.url));
session.post('Debugger.enable');
process.on('exit', () => writeFileSync(process.env['LOADED_FILE'] ?? '', JSON.stringify(loaded)));
