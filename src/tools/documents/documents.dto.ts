import { Type } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { ApiField } from '../../index.js';
import { DOMAINS, type Domain } from './analysis/domain.js';
import { LANGUAGES, type Language } from './analysis/language.js';
import { READABILITY_FORMULAS, READABILITY_LEVELS } from './analysis/readability.js';

const MAX_CHARACTERS = 200_000;

export class AnalyzeDocumentInput {
  @ApiField('The document as plain text, at most 200,000 characters')
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CHARACTERS)
  text!: string;

  @ApiField('The domain, if it is known; otherwise it is detected, or the user is asked')
  @IsOptional()
  @IsIn(DOMAINS)
  domain?: Domain;

  @ApiField('How many keywords to return')
  @IsInt()
  @Min(1)
  @Max(50)
  keywords: number = 10;
}

/** What the user is asked when the words leave the domain open. */
export class DomainAnswer {
  @ApiField('What the document is about', {
    title: 'Domain',
    oneOf: [
      { const: 'legal', title: 'Law: contracts, court papers' },
      { const: 'medical', title: 'Medicine: findings, studies' },
      { const: 'financial', title: 'Finance: reports, invoices' },
      { const: 'technical', title: 'Technology: manuals, designs' },
      { const: 'other', title: 'Something else' },
    ],
  })
  @IsIn(DOMAINS)
  domain!: Domain;
}

export class Statistics {
  @ApiField('Words') @IsInt() words!: number;
  @ApiField('Different words') @IsInt() distinctWords!: number;
  @ApiField('Sentences; abbreviations with a full stop are counted as ends too') @IsInt() sentences!: number;
  @ApiField('Blocks of text between empty lines') @IsInt() paragraphs!: number;
  @ApiField('Minutes to read it at 230 words a minute') @IsNumber() readingMinutes!: number;
}

export class Keyword {
  @ApiField('The word, in lower case') @IsString() word!: string;
  @ApiField('How often it occurs') @IsInt() count!: number;
}

export class Readability {
  @ApiField('Flesch reading ease (English; higher is easier) or LIX (other languages; lower is easier)')
  @IsIn(READABILITY_FORMULAS)
  formula!: (typeof READABILITY_FORMULAS)[number];

  @ApiField('Score by that formula') @IsNumber() score!: number;
  @ApiField('What the score means') @IsIn(READABILITY_LEVELS) level!: (typeof READABILITY_LEVELS)[number];
}

export class DomainScore {
  @ApiField('Domain') @IsIn(DOMAINS) domain!: Domain;
  @ApiField('1 + log2(occurrences), summed over the terms') @IsNumber() score!: number;
  @ApiField('Terms of the domain that the document holds') @IsString({ each: true }) terms!: readonly string[];
}

export const DECIDED_BY = ['caller', 'keywords', 'user', 'nobody'] as const;
export type DecidedBy = (typeof DECIDED_BY)[number];

export class DomainFinding {
  @ApiField('The domain; left out if nobody could tell') @IsOptional() @IsIn(DOMAINS) domain?: Domain;
  @ApiField('Who told it') @IsIn(DECIDED_BY) decidedBy!: DecidedBy;

  @ApiField('The evidence, the strongest first')
  @ValidateNested({ each: true })
  @Type(() => DomainScore)
  scores!: DomainScore[];
}

export class DocumentAnalysis {
  @ApiField('Domain of the document') @ValidateNested() @Type(() => DomainFinding) domain!: DomainFinding;
  @ApiField('ISO 639-1 code, guessed from function words') @IsIn(LANGUAGES) language!: Language;
  @ApiField('Counts') @ValidateNested() @Type(() => Statistics) statistics!: Statistics;

  @ApiField('The most frequent words that carry meaning')
  @ValidateNested({ each: true })
  @Type(() => Keyword)
  keywords!: Keyword[];

  @ApiField('How hard it is to read; left out if the language is unknown')
  @IsOptional()
  @ValidateNested()
  @Type(() => Readability)
  readability?: Readability;
}
