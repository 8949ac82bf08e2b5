import { connect } from 'node:net'
import { eachLine } from '#system/processes/lines.ts'
import { dayTime } from '../day-time.ts'
import type { Attempt } from './attempts.ts'

// Runs in a pod: between the lines `go` and `rest` on stdin opens a connection every few milliseconds. Prints how each ended
// when it has, and with `rest`, once all have ended, null. It ends with its stdin.

export interface SteadyClientOptions {
  readonly to: string
  readonly port: number
  readonly everyMs: number
  /** After this long without an answer a connection is given up: before the kernel would send its SYN again, a second later. */
  readonly patienceMs: number
}

if (process.argv[2] !== undefined) run(JSON.parse(process.argv[2]) as SteadyClientOptions)

function run(options: SteadyClientOptions): void {
  const open = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  const attempt = (): void => {
    const one = attemptOf(options).then(ended => {
      print(ended)
      open.delete(one)
    })
    open.add(one)
  }
  eachLine(process.stdin, line => {
    clearInterval(timer)
    if (line === 'go') timer = setInterval(attempt, options.everyMs)
    else void Promise.all(open).then(() => print(null))
  })
  process.stdin.once('end', () => process.exit(0))
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** Answered is a connection over which a line came back: a relay accepts connections before it has an endpoint. */
function attemptOf({ to, port, patienceMs }: SteadyClientOptions): Promise<Attempt> {
  const at = dayTime()
  return new Promise(resolve => {
    const socket = connect({ host: to, port, noDelay: true })
    const done = (end: string): void => {
      clearTimeout(late)
      // Its port can be used again at once.
      socket.resetAndDestroy()
      resolve({ at, end })
    }
    const late = setTimeout(() => done('silence'), patienceMs)
    socket.once('connect', () => socket.write('who\n'))
    socket.once('data', () => done('answered'))
    socket.once('error', error => done((error as NodeJS.ErrnoException).code ?? error.message))
    socket.once('end', () => done('closed'))
  })
}
