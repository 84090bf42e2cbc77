import { Injectable } from '@nestjs/common';

/** Whether this process has started: what it offers is compiled, its sessions were tried, and requests can come. */
@Injectable()
export class Startup {
  private complete = false;

  /** False until it has started, and true ever after, also while it stops. */
  get isComplete(): boolean {
    return this.complete;
  }

  /** @internal */
  end(): void {
    this.complete = true;
  }
}
