import { connect, createServer, type Socket } from 'node:net'

// Runs in a namespace: the two ends of what a proxy stands between. The task comes as JSON in argv, results go out as JSON
// lines; it ends with its stdin.

export interface Where {
  readonly to: string
  readonly port: number
}

export type LoadTask =
  /** Sends every client that connects as much as it takes. */
  | { readonly do: 'pour'; readonly port: number }
  | { readonly do: 'echo'; readonly port: number }
  /** Reads as much as comes, over so many connections at once; bits in a second. */
  | (Where & { readonly do: 'stream'; readonly streams: number; readonly ms: number })
  /** Connects, is answered, hangs up, so many at once; connections in a second. */
  | (Where & { readonly do: 'connect'; readonly abreast: number; readonly ms: number })
  /** Questions and answers one after the other over one connection; how long each took, in microseconds. */
  | (Where & { readonly do: 'ask'; readonly times: number })
  | (Where & { readonly do: 'ask afresh'; readonly times: number })

/** Much at a time, into one buffer, so that the two ends are not what is measured. */
const PIECE = 1024 * 1024

const WARM_UP_MS = 300

if (process.argv[2] !== undefined) {
  process.stdin.once('end', () => process.exit(0)).resume()
  const result = await carryOut(JSON.parse(process.argv[2]) as LoadTask)
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

function carryOut(task: LoadTask): Promise<unknown> {
  switch (task.do) {
    case 'pour':
      return serve(task.port, pour)
    case 'echo':
      return serve(task.port, socket => void socket.pipe(socket))
    case 'stream':
      return stream(task)
    case 'connect':
      return connectAgain(task)
    case 'ask':
      return ask(task)
    case 'ask afresh':
      return askAfresh(task)
  }
}

function serve(port: number, each: (socket: Socket) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => each(socket.on('error', () => {})))
  return new Promise(resolve => server.listen({ port, host: '0.0.0.0', backlog: 8192 }, () => resolve('listening')))
}

function pour(socket: Socket): void {
  const piece = Buffer.alloc(PIECE, 'x')
  const more = (error?: Error | null): void => {
    if (!error && !socket.destroyed) socket.write(piece, more)
  }
  more()
}

async function stream({ to, port, streams, ms }: Extract<LoadTask, { do: 'stream' }>): Promise<number> {
  let bytes = 0
  const count = (read: number): boolean => {
    bytes += read
    return true
  }
  const onread = { buffer: Buffer.alloc(PIECE), callback: count }
  const sockets = Array.from({ length: streams }, () => connect({ host: to, port, onread }))
  await new Promise(resolve => setTimeout(resolve, WARM_UP_MS))
  bytes = 0
  const start = performance.now()
  await new Promise(resolve => setTimeout(resolve, ms))
  const perSecond = (bytes * 8) / ((performance.now() - start) / 1000)
  for (const socket of sockets) socket.resetAndDestroy()
  return perSecond
}

async function connectAgain({ to, port, abreast, ms }: Extract<LoadTask, { do: 'connect' }>): Promise<number> {
  const start = performance.now()
  let count = 0
  const one = async (): Promise<void> => {
    while (performance.now() < start + ms) {
      const socket = await connected({ to, port })
      await answer(socket)
      socket.resetAndDestroy()
      count++
    }
  }
  await Promise.all(Array.from({ length: abreast }, one))
  return count / ((performance.now() - start) / 1000)
}

async function ask({ times, ...where }: Extract<LoadTask, { do: 'ask' }>): Promise<readonly number[]> {
  const socket = await connected(where)
  const took: number[] = []
  for (let i = 0; i < times; i++) took.push(await timed(() => answer(socket)))
  socket.destroy()
  return took
}

async function askAfresh({ times, ...where }: Extract<LoadTask, { do: 'ask afresh' }>): Promise<readonly number[]> {
  const took: number[] = []
  for (let i = 0; i < times; i++) {
    took.push(
      await timed(async () => {
        const socket = await connected(where)
        await answer(socket)
        socket.resetAndDestroy()
      }),
    )
  }
  return took
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return (performance.now() - start) * 1000
}

function connected({ to, port }: Where): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: to, port, noDelay: true, allowHalfOpen: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

function answer(socket: Socket): Promise<unknown> {
  return new Promise(resolve => {
    socket.once('data', resolve)
    socket.write('?')
  })
}
