import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'
import type { Outcome } from '#system/ports.ts'

// Files of /proc and /sys → what `cat`, `grep -H ''` and `tee` say of them, without these programs.

type Reader = 'cat' | 'grep'

/** The exit status where a file could not be read. */
const FAILURE: Readonly<Record<Reader, number>> = { cat: 1, grep: 2 }

/** What `grep` ends with where it has printed nothing. */
const NO_LINES = 1

/** Undefined where one of the files is not the kernel's own: another one may be large, or a pipe. */
export function readFiles(program: Reader, paths: readonly string[]): Outcome | undefined {
  if (paths.length === 0 || !paths.every(isKernels)) return undefined
  let [stdout, stderr] = ['', '']
  for (const path of paths) {
    try {
      const text = readFileSync(path, 'utf8')
      stdout += program === 'cat' ? text : eachLineNamed(path, text)
    } catch (error) {
      stderr += complaint(program, path, error)
    }
  }
  if (stderr !== '') return { code: FAILURE[program], stdout, stderr }
  return { code: program === 'grep' && stdout === '' ? NO_LINES : 0, stdout, stderr }
}

/** `tee` with one file. It may take the kernel some time to carry out what is written, so this does not wait for it. */
export function writeFileOf(paths: readonly string[], text: string): Promise<Outcome> | undefined {
  const [path] = paths
  if (path === undefined || paths.length !== 1 || !isKernels(path)) return undefined
  return writeFile(path, text).then(
    () => ({ code: 0, stdout: text, stderr: '' }),
    error => ({ code: 1, stdout: text, stderr: complaint('tee', path, error) }),
  )
}

/** By its path alone, which must not lead out again. */
function isKernels(path: string): boolean {
  return /^\/(?:proc|sys)\//.test(path) && !path.split('/').includes('..')
}

function eachLineNamed(path: string, text: string): string {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map(line => `${path}:${line}\n`).join('')
}

/** Where libc has other words than Node. */
const WORDS: Readonly<Record<string, string>> = {
  EBUSY: 'Device or resource busy',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ENOMEM: 'Cannot allocate memory',
  ENOTSUP: 'Operation not supported',
  ERANGE: 'Numerical result out of range',
}

/** In the words of libc, which begin with a capital where Node's do not. */
function complaint(program: string, path: string, error: unknown): string {
  const { errno } = error as NodeJS.ErrnoException
  if (errno === undefined) throw error
  const words = WORDS[getSystemErrorName(errno)] ?? getSystemErrorMessage(errno)
  return `${program}: ${path}: ${words.charAt(0).toUpperCase()}${words.slice(1)}\n`
}
