import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { McpCall, McpRegistry, McpTool, ToolError, principalKey } from '../../index.js';
import type { Note } from './note.js';
import { noteUri } from './notes.resources.js';
import {
  AddNoteInput,
  ConfirmDelete,
  DeletedNote,
  FoundNotes,
  NoteId,
  SavedNote,
  SEARCH_NOTES,
  TAG_COUNTS,
  UpdateNoteInput,
} from './notes.schemas.js';
import { NotesService } from './notes.service.js';

const EXCERPT_CHARACTERS = 200;

@Injectable()
export class NotesTools {
  constructor(
    private readonly notes: NotesService,
    private readonly registry: McpRegistry,
  ) {}

  @McpTool({
    title: 'Add a note',
    description:
      'Keeps a note for the user. Use it when the user asks to remember or write down something. Search first, and ' +
      'update the note that is already there rather than adding a second one.',
    output: SavedNote,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  })
  addNote({ title, text, tags }: AddNoteInput, call: McpCall): SavedNote {
    return saved(this.notes.add(principalKey(call.principal), { title, text, tags }));
  }

  @McpTool({
    title: 'Update a note',
    description: 'Replaces the title, text or tags of a note; what is left out stays as it is. Read the note first.',
    output: SavedNote,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  })
  async updateNote({ id, title, text, tags }: UpdateNoteInput, call: McpCall): Promise<SavedNote> {
    const note = this.notes.update(principalKey(call.principal), id, {
      ...(title !== undefined && { title }),
      ...(text !== undefined && { text }),
      ...(tags !== undefined && { tags }),
    });
    await this.registry.resourceUpdated(noteUri(id));
    return saved(note);
  }

  @McpTool({
    title: 'Delete a note',
    description: 'Deletes a note for good. Use it only when the user asks for it; the user may be asked to confirm.',
    output: DeletedNote,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  })
  async deleteNote({ id }: NoteId, call: McpCall): Promise<DeletedNote> {
    const owner = principalKey(call.principal);
    const { title } = this.notes.get(owner, id);
    // A client that cannot ask has the annotations above to go by.
    if (call.can('elicit')) {
      const { confirmed } = await call.elicit(ConfirmDelete, `Delete the note "${title}"?`);
      if (!confirmed) throw new ToolError('The user wants to keep the note. Nothing was deleted.');
    }
    if (this.notes.delete(owner, id)) await this.registry.resourceUpdated(noteUri(id));
    return { id };
  }

  @McpTool({
    title: 'Search notes',
    description:
      'Finds the notes of the user by words and tag, the newest first. Use it when the user refers to something they ' +
      'wrote down, and to get the id that other tools need.',
    input: SEARCH_NOTES,
    output: FoundNotes,
    annotations: { readOnlyHint: true, openWorldHint: false },
  })
  searchNotes({ words, tag, limit }: z.output<typeof SEARCH_NOTES>, call: McpCall): FoundNotes {
    const found = this.notes.search(principalKey(call.principal), { words, tag });
    const notes = found.slice(0, limit).map((note) => ({ ...saved(note), excerpt: excerptOf(note.text) }));
    return { notes, total: found.length };
  }

  @McpTool({
    title: 'List tags',
    description: 'The tags of the user’s notes and how often each is used. Use it to choose tags for a new note.',
    output: TAG_COUNTS,
    annotations: { readOnlyHint: true, openWorldHint: false },
  })
  listTags(call: McpCall) {
    return { tags: Object.fromEntries(this.notes.tags(principalKey(call.principal))) };
  }
}

function saved({ id, title, tags, updatedAt }: Note): SavedNote {
  return { id, uri: noteUri(id), title, tags, updatedAt };
}

function excerptOf(text: string): string {
  const characters = Array.from(text);
  return characters.length <= EXCERPT_CHARACTERS ? text : `${characters.slice(0, EXCERPT_CHARACTERS).join('')}…`;
}
