import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAddress } from '#values/address.ts'
import type { NetworkLeases } from '../lease-view.ts'
import { contentOf, type DirectoryContent, LOCK, textsOf } from './address-file.ts'
import { halfClosed, isClosed } from './closed-folder.ts'

// Host-local's folder of a network ⇄ its content: so that a node can change over to the database, and back.

export interface NetworkFolder {
  readonly network: string
  readonly folder: string
}

/** The folders of networks in a `dataDir`, also those that are closed. */
export function networkFolders(dataDir: string): readonly NetworkFolder[] {
  const entries = readdirSync(dataDir, { withFileTypes: true })
  if (entries.some(entry => entry.isFile() && parseAddress(entry.name) !== undefined))
    throw new Error(`${JSON.stringify(dataDir)} is the directory of one network; the one above it is wanted`)
  const whole = entries.filter(
    entry => (entry.isDirectory() && !entry.name.startsWith('.')) || isClosed(join(dataDir, entry.name)),
  )
  const names = entries.map(({ name }) => name)
  return [...whole.map(({ name }) => name), ...halfClosed(dataDir, names)]
    .map(network => ({ network, folder: join(dataDir, network) }))
    .sort((a, b) => (a.network < b.network ? -1 : 1))
}

export function readFolder(folder: string): DirectoryContent {
  const names = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isFile())
  return contentOf(new Map(names.map(({ name }) => [name, readFileSync(join(folder, name), 'utf8')])))
}

/** Those of these networks, with the folder above them; they are there from then on. */
export function makeFolders(dataDir: string, networks: readonly string[]): readonly string[] {
  const folders = networks.map(network => join(dataDir, network))
  for (const folder of [dataDir, ...folders.filter(one => !isClosed(one))])
    mkdirSync(folder, { recursive: true, mode: 0o755 })
  return folders
}

export interface Written {
  readonly written: number
  /** Files of addresses that are not leased any more. */
  readonly removed: number
}

/** Files of addresses come and go until they are what the database holds; each is there whole or not at all. */
export function writeFolder(folder: string, { leases, given }: NetworkLeases): Written {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const wanted = textsOf(leases, given)
  const names = readdirSync(folder)
  const changed = [...wanted].filter(([name, text]) => !names.includes(name) || readText(folder, name) !== text)
  for (const [name, text] of changed) {
    const draft = join(folder, `.${name}.new`)
    writeFileSync(draft, text, { mode: 0o600 })
    renameSync(draft, join(folder, name))
  }
  const over = names.filter(name => name !== LOCK && !wanted.has(name) && parseAddress(name) !== undefined)
  for (const name of over) rmSync(join(folder, name))
  return { written: changed.length, removed: over.length }
}

function readText(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8')
}
