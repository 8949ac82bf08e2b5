import {
  chmod,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises'
import { dirname } from 'node:path'

// Files that others run and read while they are replaced: each is there whole, before and after.

export interface PlacedFiles {
  exists(path: string): Promise<boolean>
  /** Whether the file has this content and this mode. */
  has(path: string, source: PlacedSource): Promise<boolean>
  /** Whole or not at all, over what was there. */
  place(path: string, source: PlacedSource): Promise<void>
  /** The same file under a second name, which is free or another link to it. */
  link(path: string, name: string): Promise<void>
  /** Over what has that name. */
  rename(path: string, name: string): Promise<void>
  read(path: string): Promise<string | undefined>
  remove(path: string): Promise<void>
  /** Names; none where there is no such folder. */
  list(path: string): Promise<readonly string[]>
  /** What is not empty stays. */
  removeFolder(path: string): Promise<void>
}

export interface PlacedSource {
  readonly content: { readonly text: string } | { readonly copyOf: string }
  readonly mode: number
}

export const placedFiles: PlacedFiles = {
  exists: path =>
    stat(path).then(
      () => true,
      () => false,
    ),

  async has(path, { content, mode }) {
    const file = await stat(path).catch(() => undefined)
    if (!file?.isFile() || (file.mode & 0o777) !== mode) return false
    return 'text' in content ? (await readFile(path, 'utf8')) === content.text : sameBytes(path, content.copyOf)
  },

  async place(path, { content, mode }) {
    const draft = `${path}.new-${process.pid}`
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    try {
      if ('text' in content) await writeFile(draft, content.text)
      else await copyFile(content.copyOf, draft)
      await chmod(draft, mode)
      await onDisk(draft)
      await rename(draft, path)
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
  },

  async link(path, name) {
    await mkdir(dirname(name), { recursive: true, mode: 0o755 })
    await rm(name, { force: true })
    await link(path, name)
  },

  async rename(path, name) {
    await rename(path, name)
    // Two names of one file both stay.
    await rm(path, { force: true })
  },

  read: path =>
    readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    }),

  remove: path => rm(path, { force: true }),

  list: path => readdir(path).catch(() => []),

  removeFolder: path => rmdir(path).catch(() => {}),
}

async function onDisk(path: string): Promise<void> {
  const file = await open(path)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

const CHUNK = 1 << 20

/** A Node.js has 100 MB: not all of it at once. */
async function sameBytes(one: string, other: string): Promise<boolean> {
  const files = await Promise.all([open(one), open(other)])
  try {
    const buffers = [Buffer.alloc(CHUNK), Buffer.alloc(CHUNK)] as const
    for (;;) {
      const [a, b] = await Promise.all(files.map((file, i) => file.read(buffers[i]!, 0, CHUNK)))
      const size = a!.bytesRead
      if (size !== b!.bytesRead || !buffers[0].subarray(0, size).equals(buffers[1].subarray(0, size))) return false
      if (size === 0) return true
    }
  } finally {
    await Promise.all(files.map(file => file.close()))
  }
}
