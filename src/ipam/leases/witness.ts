import { statSync } from 'node:fs'
import type { NamespaceWitness } from './changes/context.ts'

// A path → which network namespace is there: device and inode, as PluginFiles.namespaceId says it.

/** ESRCH: of a process that ends this moment. */
const ABSENT: readonly string[] = ['ENOENT', 'ENOTDIR', 'ESRCH']

export const namespaceAt: NamespaceWitness = path => {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    return found && `${found.dev}:${found.ino}`
  } catch (error) {
    return ABSENT.includes((error as NodeJS.ErrnoException).code ?? '') ? undefined : 'unseen'
  }
}
