import type { PlacedFiles, PlacedSource } from '#system/placed-files.ts'

// Files put in place one after another; where one cannot be, all that were before it are as they were.

export class Placement {
  readonly #files: PlacedFiles
  readonly #undo: (() => Promise<void>)[] = []
  readonly #finish: (() => Promise<void>)[] = []

  constructor(files: PlacedFiles) {
    this.#files = files
  }

  /** 'same' where nothing had to be done. */
  async put(path: string, source: PlacedSource): Promise<'same' | 'new' | 'replaced'> {
    if (await this.#files.has(path, source)) return 'same'
    const before = `${path}.before`
    const existed = await this.#files.exists(path)
    if (existed) await this.#files.link(path, before)
    this.#undo.push(() => (existed ? this.#files.rename(before, path) : this.#files.remove(path)))
    this.#finish.push(() => this.#files.remove(before))
    await this.#files.place(path, source)
    return existed ? 'replaced' : 'new'
  }

  /** The file stays where it is, and is kept under a second name for the time after us. */
  async keep(path: string, name: string): Promise<void> {
    this.#undo.push(() => this.#files.remove(name))
    await this.#files.link(path, name)
  }

  async undo(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo().catch(() => {})
  }

  async finish(): Promise<void> {
    for (const finish of this.#finish) await finish()
  }
}
