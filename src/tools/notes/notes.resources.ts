import { Injectable } from '@nestjs/common';
import { McpCall, McpResource, principalKey } from '../../index.js';
import type { Note } from './note.js';
import { NotesService } from './notes.service.js';

export function noteUri(id: string): string {
  return `notes://${id}`;
}

@Injectable()
export class NotesResources {
  constructor(private readonly notes: NotesService) {}

  /** Everyone reads their own list under this one URI, so a change to it is not announced: all would hear of each. */
  @McpResource('notes://list', {
    name: 'notes',
    title: 'All notes',
    description: 'Id, URI, title and tags of every note of the user. Read it to see what there is.',
    mimeType: 'application/json',
  })
  list(call: McpCall) {
    const notes = this.notes.search(principalKey(call.principal));
    return { notes: notes.map(({ id, title, tags }) => ({ id, uri: noteUri(id), title, tags })) };
  }

  /** Others' notes are not found; a change is told to those who subscribed to the URI. */
  @McpResource('notes://{id}', {
    title: 'A note',
    description: 'One note of the user with its whole text. Read it before updating it; subscribe to hear of changes.',
    mimeType: 'application/json',
  })
  note({ id }: { id: string }, call: McpCall): Note | undefined {
    return this.notes.find(principalKey(call.principal), id);
  }
}
