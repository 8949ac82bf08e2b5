import { writeSync } from 'node:fs'

// Text → standard output, as it is, before anything else happens.

/** False where the reader is gone. */
export function writeOut(text: string): boolean {
  const bytes = Buffer.from(text)
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += writeSync(1, bytes, sent)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return false
      if (code !== 'EAGAIN') throw error
    }
  }
  return true
}
