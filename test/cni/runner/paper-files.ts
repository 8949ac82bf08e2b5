import type { PlainFiles } from '#system/plain-files.ts'

/** Files by their path, in memory. */
export class PaperFiles implements PlainFiles {
  readonly texts = new Map<string, string>()
  /** Set where the disk is full. */
  failure: Error | undefined

  constructor(texts: Readonly<Record<string, string | object>> = {}) {
    for (const [path, text] of Object.entries(texts))
      this.texts.set(path, typeof text === 'string' ? text : JSON.stringify(text))
  }

  async list(folder: string): Promise<readonly string[] | undefined> {
    const names = [...this.texts.keys()]
      .filter(path => path.startsWith(`${folder}/`))
      .map(path => path.slice(folder.length + 1))
      .filter(name => !name.includes('/'))
    return names.length === 0 ? undefined : names.sort()
  }

  async read(path: string): Promise<string | undefined> {
    return this.texts.get(path)
  }

  async write(path: string, text: string): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    this.texts.set(path, text)
  }

  async remove(path: string): Promise<void> {
    this.texts.delete(path)
  }
}
