import type { BlockRecord } from './block-record.ts'
import { recordOf, recordText } from './record-text.ts'

// A text that is changed by compare-and-swap, wherever it is kept → the store of the record.

export interface RecordStore {
  /** Fails where it cannot be reached, and where what is stored cannot be read. */
  read(): Promise<StoredRecord>
  /** `conflict`: another has written since. Where it fails, it may have been written all the same. */
  write(record: BlockRecord, before: StoredRecord): Promise<'stored' | 'conflict'>
}

export interface StoredRecord {
  /** Undefined where there is none yet. */
  readonly record: BlockRecord | undefined
  readonly version: string
}

export class RecordUnusable extends Error {
  override readonly name = 'RecordUnusable'
}

export interface RecordTexts {
  read(): Promise<VersionedRecordText>
  write(text: string, before: VersionedRecordText): Promise<{ readonly version: string } | 'conflict'>
}

interface VersionedRecordText {
  readonly text: string | undefined
  readonly version: string
}

/** A text that is no record is never overwritten: what stood in it may be in use. */
export function recordStore(texts: RecordTexts): RecordStore {
  return {
    read: async () => {
      const { text, version } = await texts.read()
      const record = text === undefined ? undefined : recordOf(text)
      if (typeof record === 'string') throw new RecordUnusable(`the record of node ranges cannot be read: ${record}`)
      return { record, version }
    },
    write: async (record, { version }) => {
      const written = await texts.write(recordText(record), { text: undefined, version })
      return written === 'conflict' ? 'conflict' : 'stored'
    },
  }
}
