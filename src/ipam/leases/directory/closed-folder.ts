import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { LOCK } from './address-file.ts'

// A network's folder whose leases are in the database: closed to host-local by a file in its place. A host-local that was started
// before its executable was replaced then fails, and so does one that comes back with an upgrade of its package; either would
// give addresses of pods.

const TEXT = `The leases of this network are in the database of Switchyard (switchyard ipam ls). "switchyard cni uninstall
--export=DIR", or "switchyard ipam export DIR" where host-local is in its place already, writes them here and takes this file away;
DIR is the folder that this file is in.
`

export function isClosed(folder: string): boolean {
  return (isFile(folder) || isHalfClosed(folder)) && isThere(keptPath(folder))
}

/** The process ended while the folder was aside and the file not in its place yet, or no longer. */
function isHalfClosed(folder: string): boolean {
  return !isThere(folder) && isFile(signPath(folder))
}

/** Networks of which nothing has the name, from the names that there are in the folder above. */
export function halfClosed(dataDir: string, names: readonly string[]): readonly string[] {
  const signs = names.flatMap(name => SIGN.exec(name)?.[1] ?? [])
  return signs.filter(network => isHalfClosed(join(dataDir, network)) && isClosed(join(dataDir, network)))
}

/** Where its files are now. */
export function filesOf(folder: string): string {
  return isClosed(folder) ? keptPath(folder) : folder
}

/** The file to be locked by flock; host-local that has opened it before goes on waiting for the same. */
export function lockOf(folder: string): string {
  return join(filesOf(folder), LOCK)
}

/** While it is locked. */
export function closeFolder(folder: string): void {
  const sign = signPath(folder)
  writeFileSync(sign, TEXT)
  // Of a time before; all that was true in it is in the database.
  rmSync(keptPath(folder), { recursive: true, force: true })
  renameSync(folder, keptPath(folder))
  renameSync(sign, folder)
}

/** When what is in it is true again. */
export function openFolder(folder: string): void {
  if (!isClosed(folder)) return
  if (isFile(folder)) renameSync(folder, signPath(folder))
  renameSync(keptPath(folder), folder)
  rmSync(signPath(folder), { force: true })
}

/** No network has a name with a dot before it. */
function keptPath(folder: string): string {
  return join(dirname(folder), `.${basename(folder)}.kept-by-switchyard`)
}

function signPath(folder: string): string {
  return `${keptPath(folder)}.txt`
}

const SIGN = /^\.(.+)\.kept-by-switchyard\.txt$/

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}
