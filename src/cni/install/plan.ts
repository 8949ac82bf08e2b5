import { hash } from 'node:crypto'
import { isJsonObject, readJson } from '#cni/protocol/json.ts'
import type { Executables } from '#system/executables.ts'
import type { PlacedFiles } from '#system/placed-files.ts'
import { recordPath } from './places.ts'

// What is to be installed, from where and to where.

export interface InstallPlan {
  readonly binDir: string
  readonly replacesStandard: boolean
  readonly sources: InstallSources
  /** Absent: executables alone. */
  readonly configuration?: { readonly path: string; readonly text: string }
}

export interface InstallSources {
  /** The compiled src/cni/shim.c. */
  readonly helper: string
  /** The bundled src/cni.ts. */
  readonly program: string
  readonly node: string
  /** What it is linked with, and a small machine may not have. */
  readonly libraries: readonly string[]
}

export interface InstallParts {
  readonly files: PlacedFiles
  readonly executables: Executables
  /** Resolves when the daemon can answer for the configuration; rejects where it does not in time, with the reason. */
  readonly untilServed: () => Promise<void>
  /** Puts the executables in place, with what is to be done around that. */
  readonly placing?: (place: () => Promise<readonly string[]>) => Promise<readonly string[]>
}

/** Fingerprints of files we wrote, by path. */
export type WrittenFiles = Readonly<Record<string, string>>

export function fingerprint(text: string): string {
  return hash('sha256', text)
}

export async function writtenIn(binDir: string, files: PlacedFiles): Promise<WrittenFiles> {
  const read = readJson((await files.read(recordPath(binDir))) ?? '{}')
  // Of a record that cannot be understood nothing counts as ours, and so nothing is removed that may be another's.
  return read.ok && isJsonObject(read.json) ? (read.json as WrittenFiles) : {}
}

export async function isOurs(name: string, binDir: string, { executables }: InstallParts): Promise<boolean> {
  return (await executables.find(name, [binDir]))?.isOurs === true
}
