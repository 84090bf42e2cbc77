import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { RULES_FILE } from './promtool.js';

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RulesFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

export const rulesText = readFileSync(RULES_FILE, 'utf8');

const rules = (parse(rulesText) as RulesFile).groups.flatMap((group) => group.rules);

export const alerts = rules.filter((rule): rule is Rule & { readonly alert: string } => rule.alert !== undefined);

export const recorded: ReadonlySet<string> = new Set(rules.flatMap(({ record }) => (record ? [record] : [])));
