import { Logger } from '@nestjs/common';
import { startLogging } from '../../../src/app/logging.js';

/** Says much at once, and comes to an end as it is told to. */
await startLogging(process.env);
const logger = new Logger('Fixture');
for (let line = 0; line < 2_000; line++) logger.log(`line ${line} ${'.'.repeat(100)}`);
if (process.argv[2] === 'exit') process.exit(3);
if (process.argv[2] === 'reject') void Promise.reject(new Error('token=Sup3rSecretMarker'));
else throw new TypeError('Bearer Sup3rSecretMarker');
