import { Module } from '@nestjs/common';
import { NotesPrompts } from './notes.prompts.js';
import { NotesResources } from './notes.resources.js';
import { NotesService } from './notes.service.js';
import { NotesTools } from './notes.tools.js';

/** Notes of each caller: tools that change them, resources to read and subscribe to, and a prompt. */
@Module({
  providers: [NotesService, NotesTools, NotesResources, NotesPrompts],
})
export class NotesModule {}
