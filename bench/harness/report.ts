import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Goal, Outcome, Scenario } from '../scenarios/scenario.js';
import { writeDocument } from './document.js';
import { BENCH } from './machine.js';
import type { Options } from './options.js';
import { asText, figureCells, goalCells, rowCells } from './tables.js';

export type Results = Readonly<Record<string, Outcome & { readonly title: string }>>;

/** Prints what was measured as it comes, and the goals at the end; writes all of it as JSON, and into the docs if asked to. */
export class Report {
  private readonly started = new Date();
  private readonly scenarios: Record<string, Outcome & { title: string }> = {};

  constructor(
    private readonly machine: Record<string, unknown>,
    private readonly options: Options,
  ) {
    console.log(JSON.stringify(machine, undefined, 2));
  }

  add({ name, title }: Scenario, outcome: Outcome): void {
    this.scenarios[name] = { title, ...outcome };
    console.log(`\n${title}`);
    if (outcome.rows) console.log(asText(outcome.rows.map(rowCells)));
    if (outcome.figures) console.log(asText(outcome.figures.map(figureCells)));
    this.write();
  }

  finish(): void {
    const goals: Goal[] = Object.values(this.scenarios).flatMap((outcome) => outcome.goals);
    console.log(`\nGoals\n${asText(goals.map(goalCells))}`);
    console.log(`\nWritten to ${this.file()}`);
    if (this.options.docs) writeDocument(this.machine, this.scenarios);
  }

  /** After each scenario: what follows may fail. */
  private write(): void {
    const { started, machine, options, scenarios } = this;
    mkdirSync(dirname(this.file()), { recursive: true });
    const results = { started, ended: new Date(), machine, options, scenarios };
    writeFileSync(this.file(), `${JSON.stringify(results, undefined, 2)}\n`);
  }

  private file(): string {
    return this.options.json ?? join(BENCH, 'results', `${this.started.toISOString().replaceAll(':', '-')}.json`);
  }
}
