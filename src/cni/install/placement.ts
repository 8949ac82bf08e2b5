import { basename, dirname } from 'node:path'
import type { PlacedFiles, PlacedSource } from '#system/placed-files.ts'

// Files put in place one after another; where one cannot be, all that were before it are as they were.

/** The second name of what is replaced, until all is in place. */
export function beforeOf(path: string): string {
  return `${path}.before-switchyard`
}

/** Also where it is a link that leads nowhere, as one does that was moved. */
export async function isThere(path: string, files: Pick<PlacedFiles, 'list'>): Promise<boolean> {
  return (await files.list(dirname(path))).includes(basename(path))
}

export class Placement {
  readonly #files: PlacedFiles
  readonly #undo: (() => Promise<void>)[] = []
  readonly #finish: (() => Promise<void>)[] = []

  constructor(files: PlacedFiles) {
    this.#files = files
  }

  /** 'same' where nothing had to be done. */
  async put(path: string, source: PlacedSource): Promise<'same' | 'new' | 'replaced'> {
    if (await this.#files.has(path, source)) {
      // A process that was killed may have left it.
      this.#finish.push(() => this.#files.remove(beforeOf(path)))
      return 'same'
    }
    const existed = await this.#remember(path)
    await this.#files.place(path, source)
    return existed ? 'replaced' : 'new'
  }

  /** The file stays where it is, and is kept under a second name for the time after us. */
  async keep(path: string, name: string): Promise<void> {
    await this.#remember(name)
    await this.#files.link(path, name)
  }

  /** True where there is a file, which comes back if all is undone. */
  async #remember(path: string): Promise<boolean> {
    const before = beforeOf(path)
    const exists = await isThere(path, this.#files)
    if (exists) await this.#files.link(path, before)
    this.#undo.push(() => (exists ? this.#files.rename(before, path) : this.#files.remove(path)))
    this.#finish.push(() => this.#files.remove(before))
    return exists
  }

  async undo(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo().catch(() => {})
  }

  async finish(): Promise<void> {
    for (const finish of this.#finish) await finish()
  }
}
