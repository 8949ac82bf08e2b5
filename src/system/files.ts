import { readFile } from 'node:fs/promises'

// A path → what the file holds.

/** Rejects as Node does: `code` says why (ENOENT, EACCES, EISDIR). */
export function readText(path: string): Promise<string> {
  return readFile(path, 'utf8')
}
