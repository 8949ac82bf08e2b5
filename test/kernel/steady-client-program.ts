import { connect } from 'node:net'
import { createInterface } from 'node:readline'

// Runs in a namespace of a lab: opens a connection every few milliseconds until a line comes on stdin, and then prints
// how each of them ended, oldest first.

export interface SteadyClientOptions {
  readonly to: string
  readonly port: number
  readonly everyMs: number
  /** After this long without an answer a connection is given up. */
  readonly patienceMs: number
  /** Servers that are slow, since the machine is, get no more at once: what waits in their queues is not lost. */
  readonly mostOpen?: number
}

export interface Attempt {
  /** When the connection was opened, by the machine's clock. */
  readonly at: number
  /** How long it took until its end was known. */
  readonly ms: number
  /** `answered`, `silence`, or the code of an error. */
  readonly end: string
}

if (process.argv[2] !== undefined) {
  process.stdin.once('end', () => process.exit(0))
  await run(JSON.parse(process.argv[2]) as SteadyClientOptions)
}

async function run(options: SteadyClientOptions): Promise<void> {
  const attempts: Promise<Attempt>[] = []
  let open = 0
  const timer = setInterval(() => {
    if (open >= (options.mostOpen ?? Number.POSITIVE_INFINITY)) return
    open++
    attempts.push(attempt(options).finally(() => open--))
  }, options.everyMs)
  process.stdout.write('"started"\n')
  await new Promise(resolve => createInterface({ input: process.stdin }).once('line', resolve))
  clearInterval(timer)
  process.stdout.write(`${JSON.stringify(await Promise.all(attempts))}\n`)
}

/** Answered is a connection over which a line came back: a relay accepts connections before it has an endpoint. */
function attempt({ to, port, patienceMs }: SteadyClientOptions): Promise<Attempt> {
  const at = Date.now()
  return new Promise(resolve => {
    const socket = connect({ host: to, port, noDelay: true })
    const done = (end: string): void => {
      clearTimeout(late)
      // A reset frees its port at once.
      if (socket.connecting) socket.destroy()
      else socket.resetAndDestroy()
      resolve({ at, ms: Date.now() - at, end })
    }
    const late = setTimeout(() => done('silence'), patienceMs)
    socket.once('connect', () => socket.write('hello\n'))
    socket.once('data', () => done('answered'))
    socket.once('error', error => done((error as NodeJS.ErrnoException).code ?? error.message))
    socket.once('end', () => done('closed'))
  })
}
