/** Verifies an audit log: `npm run audit:verify -- --help`. */
import { verifyCommand } from './mcp/audit/verify-command.js';

process.exitCode = await verifyCommand(process.argv.slice(2), process);
