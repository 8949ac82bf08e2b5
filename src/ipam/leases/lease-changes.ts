import { Database } from './database/database.ts'
import { compareFiles, type FilesAt, filesAt } from './database/files-at.ts'

// The database of leases → whether any process has written to it since it was asked last, without reading a lease.

export class LeaseChanges {
  readonly #path: string
  #database: Database | undefined
  #files: FilesAt | undefined
  #version: number | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** The first time always. Fails with LeaseStoreFailed. */
  hasChanged(): boolean {
    const files = filesAt(this.#path)
    const isSame = this.#files !== undefined && compareFiles(this.#files, files) === 'same'
    if (!isSame) this.close()
    this.#database ??= Database.look(this.#path)
    const version = Number(this.#database?.get('PRAGMA data_version')?.data_version)
    // To look opens the journal, and makes it where it is not there.
    if (!isSame) this.#files = filesAt(this.#path)
    // Where there is no database, its version is no number.
    const hasChanged = !isSame || !Object.is(version, this.#version)
    this.#version = version
    return hasChanged
  }

  close(): void {
    this.#database?.close()
    this.#database = undefined
  }
}
