import { readFile, writeFile } from 'node:fs/promises'

// A path → what the file holds.

/** Rejects as Node does: `code` says why (ENOENT, EACCES, EISDIR). */
export function readText(path: string): Promise<string> {
  return readFile(path, 'utf8')
}

export function writeText(path: string, text: string): Promise<void> {
  return writeFile(path, text)
}

/** All of standard input. Not by its path: where it is a socket, it cannot be opened a second time. */
export async function readStandardInput(): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of process.stdin) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString('utf8')
}
