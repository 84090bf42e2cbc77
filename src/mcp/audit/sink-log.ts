import type { LoggerService } from '@nestjs/common';
import { type AuditAnchor, anchorText } from './audit-anchor.js';
import { failureText } from './failure-text.js';

/** What the operator is told of one audit sink: each trouble once, and its end. */
export class SinkLog {
  /** @param name of the sink */
  constructor(
    private readonly name: string,
    private readonly logger: Pick<LoggerService, 'log' | 'warn' | 'error'>,
  ) {}

  fails(failure: string): void {
    this.logger.error(`The audit sink ${this.name} fails; it is tried again. ${failure}`);
  }

  worksAgain(lost: number): void {
    this.logger.log(`The audit sink ${this.name} takes entries again. Operations lost so far: ${lost}.`);
  }

  hasNoRoom(): void {
    this.logger.error(
      `The audit sink ${this.name} has no room for more operations: they are lost and counted until it has. Mend it.`,
    );
  }

  hasRoomAgain(lost: number): void {
    this.logger.log(`The audit sink ${this.name} has room again. Operations lost so far: ${lost}.`);
  }

  /** @param lost in all, these among them */
  didNotTakeTheLast(operations: number, lost: number): void {
    this.logger.error(
      `The audit sink ${this.name} did not take the last operations before the end: ${operations}. ` +
        `Operations lost in all: ${lost}.`,
    );
  }

  hasNoEnd(): void {
    this.logger.warn(`The audit sink ${this.name} did not take the last entry: its chain has no end.`);
  }

  /** Kept in another log, it shows that the chain was not cut back. */
  anchor(signed: AuditAnchor): void {
    this.logger.log(
      `The last signature in the audit sink ${this.name}, for audit:verify --expect: ${anchorText(signed)}`,
    );
  }

  didNotClose(error: unknown): void {
    this.logger.warn(`The audit sink ${this.name} did not close. ${failureText(error)}`);
  }
}
