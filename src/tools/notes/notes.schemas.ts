import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  MaxLength,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { z } from 'zod';
import { ApiField, type JsonSchema } from '../../index.js';
import { NOTE_LIMITS } from './note.js';

/* Most inputs are classes; `SEARCH_NOTES` is a Zod schema, and `TAG_COUNTS` a JSON Schema: each where it says it best. */

const TAG = /^[a-z0-9-]{1,30}$/;
const TAG_MESSAGE = 'must be 1 to 30 lower-case letters, digits and hyphens each';

export class AddNoteInput {
  @ApiField('Short headline')
  @IsString()
  @MinLength(1)
  @MaxLength(NOTE_LIMITS.titleCharacters)
  title!: string;

  @ApiField('The note itself; Markdown is welcome')
  @IsString()
  @MaxLength(NOTE_LIMITS.textCharacters)
  text!: string;

  @ApiField('Labels to find it by; prefer those that listTags returns')
  @IsArray()
  @ArrayMaxSize(NOTE_LIMITS.tags)
  @ArrayUnique()
  @Matches(TAG, { each: true, message: TAG_MESSAGE })
  tags: string[] = [];
}

export class NoteId {
  @ApiField('Id of the note, as searchNotes and addNote return it')
  @IsUUID()
  id!: string;
}

export class UpdateNoteInput extends NoteId {
  @ApiField('New headline; unchanged if left out')
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(NOTE_LIMITS.titleCharacters)
  title?: string;

  @ApiField('New text, in place of the old one; unchanged if left out')
  @IsOptional()
  @IsString()
  @MaxLength(NOTE_LIMITS.textCharacters)
  text?: string;

  @ApiField('New labels, in place of the old ones; unchanged if left out')
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(NOTE_LIMITS.tags)
  @ArrayUnique()
  @Matches(TAG, { each: true, message: TAG_MESSAGE })
  tags?: string[];
}

export const SEARCH_NOTES = z.strictObject({
  words: z
    .string()
    .trim()
    .max(200)
    .optional()
    .describe('Words that title or text must all hold; all notes if left out'),
  tag: z.string().regex(TAG).optional().describe('Only notes with this tag'),
  limit: z.int().min(1).max(50).default(10).describe('How many notes to return'),
});

/** How often each tag is used. Its property names are not known beforehand, which no class can say. */
export const TAG_COUNTS = {
  type: 'object',
  properties: {
    tags: {
      type: 'object',
      description: 'Number of notes by tag, the most used first',
      additionalProperties: { type: 'integer', minimum: 1 },
    },
  },
  required: ['tags'],
  additionalProperties: false,
} as const satisfies JsonSchema;

/** What the user is asked before a note is deleted. */
export class ConfirmDelete {
  @ApiField('Delete it for good', { title: 'Delete' })
  @IsBoolean()
  confirmed!: boolean;
}

export class SavedNote {
  @ApiField('Id of the note') @IsUUID() id!: string;
  @ApiField('Where it can be read, and subscribed to') @IsString() uri!: string;
  @ApiField('Headline') @IsString() title!: string;
  @ApiField('Labels') @IsString({ each: true }) tags!: readonly string[];
  @ApiField('When it was last changed') @IsISO8601() updatedAt!: string;
}

export class FoundNote extends SavedNote {
  @ApiField('The beginning of the text; the whole is at the uri') @IsString() excerpt!: string;
}

export class FoundNotes {
  @ApiField('The notes, the one added last first')
  @ValidateNested({ each: true })
  @Type(() => FoundNote)
  notes!: FoundNote[];

  @ApiField('How many notes match; more than were returned if `limit` was reached') @IsInt() total!: number;
}

export class DeletedNote {
  @ApiField('Id of the note that is no more') @IsUUID() id!: string;
}

export class SummarizeNotesInput {
  @ApiField('Only notes with this tag; all notes if left out', { title: 'Tag' })
  @IsOptional()
  @Matches(TAG)
  tag?: string;
}
