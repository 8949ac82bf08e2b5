import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'

// Text → standard output or standard error, whole, before anything else happens.

/** False where the reader is gone. */
export function print(text: string): boolean {
  return put(1, text)
}

export function outputKind(): 'terminal' | 'pipe' {
  return isatty(1) ? 'terminal' : 'pipe'
}

/** The same to standard error, for what goes wrong before there is a log. */
export function complain(text: string): void {
  put(2, text)
}

/** A closed pipe (`| head`) is no reason to fail. */
function put(fd: 1 | 2, text: string): boolean {
  const bytes = Buffer.from(text.endsWith('\n') ? text : `${text}\n`)
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += writeSync(fd, bytes, sent)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return false
      if (code !== 'EAGAIN') throw error
    }
  }
  return true
}
