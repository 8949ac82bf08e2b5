import { join, resolve } from 'node:path'
import { isClosed } from '#ipam/leases/directory/closed-folder.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { exportText, importText } from '#ipam/table/transfer-text.ts'
import { placedFiles } from '#system/placed-files.ts'
import type { PlainFiles } from '#system/plain-files.ts'
import { hostFiles } from '#system/plugin-files.ts'
import type { AnswerParts } from '../../answer.ts'
import type { CniCommandAnswer } from '../../commands/command.ts'
import { importedPath } from '../../install/places.ts'
import { giveBack } from './give-back.ts'
import { knownOwners } from './known-owners.ts'
import { takeOver } from './take-over.ts'

// `cni install --import DIR` and `cni uninstall --export DIR`. Where the executables have changed before, a directory that was left
// behind weeks ago is not what pods have now: it is neither read nor written.

type Place = () => Promise<readonly string[]>

export interface ChangeOverParts {
  readonly binDir: string
  readonly own: AnswerParts
  readonly database: string
}

/** `install` calls `placing` with what puts the executables in place. */
export async function importing(
  dataDir: string,
  { binDir, own, database, files }: ChangeOverParts & { readonly files: PlainFiles },
  install: (placing: (place: Place) => Promise<readonly string[]>) => Promise<readonly string[]>,
): Promise<CniCommandAnswer> {
  if (await isOurs(binDir, own)) {
    const done = await install(place => place())
    return {
      text: [...done, `host-local was ours before, so nothing was imported from ${dataDir}.`].join('\n'),
      status: 0,
    }
  }
  let imported = { text: `There is no ${dataDir}, so no lease was imported.`, status: 0 as 0 | 1 }
  const done = await install(async place => {
    if ((await files.list(dataDir)) === undefined) return place()
    const { clock } = own.machine
    const owners = knownOwners({ files, seen: own.machine.files })
    return withBook(database, own, async book => {
      const { placed, networks } = await takeOver(dataDir, place, { book, owners, clock })
      await placedFiles.place(importedPath(binDir), { content: { text: `${resolve(dataDir)}\n` }, mode: 0o644 })
      const isWhole = networks.every(({ conflicts, problems }) => conflicts.length + problems.length === 0)
      const text = networks.length > 0 ? importText(networks) : `In ${dataDir} there was nothing new to import.`
      imported = { text, status: isWhole ? 0 : 1 }
      return placed
    })
  })
  return { text: [...done, imported.text].join('\n'), status: imported.status }
}

export async function exporting(
  dataDir: string,
  { binDir, own, database }: ChangeOverParts,
  uninstall: Place,
): Promise<CniCommandAnswer> {
  const { clock } = own.machine
  // Where another host-local is in its place, what it has given since is not ours to overwrite; unless it could give nothing.
  const which = (await isOurs(binDir, own)) ? () => true : (network: string) => isClosed(join(dataDir, network))
  return withBook(database, own, async book => {
    const { unplaced, networks } = await giveBack(dataDir, uninstall, { database, book, clock, which })
    const text = networks.length > 0 ? exportText(networks) : `There was nothing to export to ${dataDir}.`
    return { text: [...unplaced, text].join('\n'), status: 0 }
  })
}

/** Without the export, host-local would find its directory closed, and give no address. */
export async function mustNotBeImported(binDir: string): Promise<void> {
  const dataDir = (await placedFiles.read(importedPath(binDir)))?.trim()
  if (dataDir === undefined) return
  throw new Error(
    `cni uninstall: leases of ${dataDir} are here, and host-local needs them: --export=${dataDir} writes them there`,
  )
}

async function isOurs(binDir: string, { machine }: AnswerParts): Promise<boolean> {
  return (await machine.executables.find('host-local', [binDir]))?.isOurs === true
}

async function withBook<T>(path: string, own: AnswerParts, work: (book: SqliteLeaseBook) => Promise<T>): Promise<T> {
  const book = SqliteLeaseBook.open({ path, clock: own.machine.clock, boot: await hostFiles.bootId() })
  try {
    return await work(book)
  } finally {
    book.close()
  }
}
