import type { DatabaseSync } from 'node:sqlite'
import { versionPragmas } from './creation.ts'
import { damaged, otherVersion } from './fault.ts'
import { APPLICATION_ID } from './schema.ts'

// Which of the versions of the tables a file has → brought forward to this one.

export interface OpenFile {
  readonly path: string
  readonly sqlite: DatabaseSync
}

export function versionOf({ path, sqlite }: OpenFile): number {
  const pragma = (name: string) => Number(sqlite.prepare(`PRAGMA ${name}`).get()?.[name])
  if (pragma('application_id') !== APPLICATION_ID) throw damaged(path, 'the file is a database of another program')
  return pragma('user_version')
}

export function migrate(file: OpenFile, migrations: readonly string[], write: (work: () => void) => void): void {
  if (versionOf(file) === migrations.length) return
  write(() => {
    // Another process may have done it meanwhile.
    const version = versionOf(file)
    if (version > migrations.length) throw otherVersion(file.path, version, migrations.length)
    file.sqlite.exec(`${migrations.slice(version).join('')}; ${versionPragmas(migrations.length)}`)
  })
}
