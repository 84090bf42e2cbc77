/** A note as it is kept. */
export interface Note {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type NoteContent = Pick<Note, 'title' | 'text' | 'tags'>;

export interface NoteQuery {
  /** Words that title or text must all hold, in any case. */
  readonly words?: string | undefined;
  readonly tag?: string | undefined;
}

export const NOTE_LIMITS = Object.freeze({
  titleCharacters: 120,
  textCharacters: 4_000,
  tags: 10,
  tagCharacters: 30,
  /** Notes one owner may keep. */
  notesPerOwner: 200,
  /** Notes of all owners together. */
  notes: 5_000,
});
