import { closeSync, constants, createWriteStream, openSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { ReadStream } from 'node:tty'
import { libc } from '#system/netlink/libc.ts'

// A pseudo terminal: one end for a program, the other as streams of this process.

export interface Terminal {
  /** For stdin, stdout and stderr of the program; closed by `started`. */
  readonly programEnd: number
  readonly output: Readable
  readonly input: Writable
  /** The program has its end. */
  started(): void
  resize(columns: number, rows: number): void
  close(): void
}

const TIOCSPTLCK = 0x4004_5431
const TIOCGPTN = 0x8004_5430
const TIOCSWINSZ = 0x5414
/** What a terminal has until its window is known. */
const USUAL = { columns: 80, rows: 24 } as const

export function openTerminal(): Terminal {
  const { ioctl } = terminalCalls()
  const fd = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY)
  const number = Buffer.alloc(4)
  ioctl(fd, TIOCSPTLCK, Buffer.alloc(4))
  ioctl(fd, TIOCGPTN, number)
  const programEnd = openSync(`/dev/pts/${number.readUInt32LE()}`, constants.O_RDWR | constants.O_NOCTTY)
  const output = new ReadStream(fd)
  // EIO: the program has closed its end.
  output.on('error', () => output.destroy())
  const input = createWriteStream('', { fd, autoClose: false })
  input.on('error', () => {})
  let isOpen = true
  output.once('close', () => {
    isOpen = false
  })
  const resize = (columns: number, rows: number): void => {
    const size = Buffer.alloc(8)
    size.writeUInt16LE(rows, 0)
    size.writeUInt16LE(columns, 2)
    if (isOpen) ioctl(fd, TIOCSWINSZ, size)
  }
  resize(USUAL.columns, USUAL.rows)
  return {
    ...{ programEnd, output, input, resize },
    started: () => closeSync(programEnd),
    close: () => output.destroy(),
  }
}

interface TerminalCalls {
  ioctl(fd: number, request: number, value: Buffer): void
}

let calls: TerminalCalls | undefined

function terminalCalls(): TerminalCalls {
  calls ??= load()
  return calls
}

function load(): TerminalCalls {
  // It loads FFI without its warning.
  if (libc() === undefined) throw new Error('this Node.js has no FFI, so there are no terminals')
  const { functions } = process.getBuiltinModule('node:ffi').dlopen(null, {
    ioctl: { arguments: ['int32', 'uint64', 'buffer'], return: 'int32' },
  })
  return {
    ioctl(fd, request, value) {
      if (Number(functions.ioctl(fd, BigInt(request), value)) < 0) throw new Error('the terminal refused')
    },
  }
}
