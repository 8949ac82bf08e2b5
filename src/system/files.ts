import { readFile, writeFile } from 'node:fs/promises'

// A path → what the file holds.

/** Rejects as Node does: `code` says why (ENOENT, EACCES, EISDIR). */
export function readText(path: string): Promise<string> {
  return readFile(path, 'utf8')
}

export function writeText(path: string, text: string): Promise<void> {
  return writeFile(path, text)
}
