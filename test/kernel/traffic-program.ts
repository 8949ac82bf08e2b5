import { createHash } from 'node:crypto'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { connect, createServer, isIPv6, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

// Runs in a namespace of a lab: servers and clients that do what a line and its answer cannot show. The task comes as JSON in
// argv, results go out as JSON lines; it ends with its stdin.

export type Task =
  /** Reads to the end, and only then says how much it was. */
  | { readonly do: 'serve digests'; readonly port: number }
  /** Answers each line with itself; `forget` in it resets the connection instead. */
  | { readonly do: 'serve lines'; readonly port: number }
  | { readonly do: 'serve datagrams'; readonly port: number }
  | { readonly do: 'upload'; readonly to: string; readonly port: number; readonly bytes: number }
  | {
      readonly do: 'send datagrams'
      readonly to: string
      readonly port: number
      readonly sizes: readonly number[]
      readonly sourcePort?: number
    }
  /** Connects again and again, some at a time, until a line says stop. */
  | { readonly do: 'keep connecting'; readonly to: string; readonly port: number; readonly abreast: number }
  /** From one socket of UDP, a question after each answer, until a line says stop. */
  | { readonly do: 'keep asking'; readonly to: string; readonly port: number }
  /** All at once; how long each waited for its answer. */
  | { readonly do: 'connect together'; readonly to: string; readonly port: number; readonly times: number }
  | { readonly do: 'hold'; readonly to: string; readonly port: number; readonly times: number }
  /** Opens a connection, sends a line that makes the server reset it, and says how that looked. */
  | { readonly do: 'be reset'; readonly to: string; readonly port: number }

export interface Digest {
  readonly bytes: number
  readonly sha1: string
}

export interface Answered {
  readonly answered: number
  readonly failures: readonly string[]
}

const PATIENCE_MS = 20_000
/** A datagram that is lost never comes, however long it is waited for. */
const ANSWER_MS = 10_000

if (process.argv[2] !== undefined) {
  process.stdin.once('end', () => process.exit(0)).resume()
  await carryOut(JSON.parse(process.argv[2]) as Task)
}

function say(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

async function carryOut(task: Task): Promise<void> {
  switch (task.do) {
    case 'serve digests':
      return serve(task.port, digest)
    case 'serve lines':
      return serve(task.port, lines)
    case 'serve datagrams':
      return serveDatagrams(task.port)
    case 'upload':
      return say(await upload(task))
    case 'send datagrams':
      return say(await sendDatagrams(task))
    case 'keep connecting':
      return keepConnecting(task)
    case 'keep asking':
      return keepAsking(task)
    case 'connect together':
      return say(await Promise.all(Array.from({ length: task.times }, () => timed(() => connectOnce(task)))))
    case 'hold':
      return hold(task)
    case 'be reset':
      return say(await beReset(task))
  }
}

function serve(port: number, each: (socket: Socket) => void): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    socket.on('error', () => {})
    each(socket)
  })
  return new Promise(resolve => server.listen({ port, host: '::', backlog: 8192 }, () => resolve(say('listening'))))
}

function digest(socket: Socket): void {
  const sha1 = createHash('sha1')
  let bytes = 0
  socket.on('data', piece => {
    bytes += piece.length
    sha1.update(piece)
  })
  socket.once('end', () => socket.end(JSON.stringify({ bytes, sha1: sha1.digest('hex') } satisfies Digest)))
}

function lines(socket: Socket): void {
  socket.on('data', piece => {
    if (String(piece).includes('forget')) socket.resetAndDestroy()
    else socket.write(piece)
  })
  socket.once('end', () => socket.end())
}

function serveDatagrams(port: number): Promise<void> {
  const socket = createSocket({ type: 'udp6' })
  socket.on('message', (message, from) => socket.send(message, from.port, from.address, () => {}))
  return new Promise(resolve => socket.bind(port, '::', () => resolve(say('listening'))))
}

/** What arrives at the other end of a connection that we have ended on our side only. */
function upload({ to, port, bytes }: Extract<Task, { do: 'upload' }>): Promise<unknown> {
  const body = Buffer.alloc(bytes, 'switchyard ')
  const sent: Digest = { bytes, sha1: createHash('sha1').update(body).digest('hex') }
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect({ host: to, port, allowHalfOpen: true })
    socket.on('data', piece => {
      heard += String(piece)
    })
    socket.once('error', reject).once('end', () => resolve({ sent, arrived: JSON.parse(heard) as Digest }))
    socket.end(body)
  })
}

async function sendDatagrams({ to, port, ...task }: Extract<Task, { do: 'send datagrams' }>): Promise<unknown> {
  const { sizes, sourcePort = 0 } = task
  const socket = createSocket(isIPv6(to) ? 'udp6' : 'udp4').bind(sourcePort)
  const came: number[] = []
  for (const size of sizes) {
    const message = Buffer.alloc(size, size % 251)
    const answer = new Promise<number>(resolve => {
      const late = setTimeout(() => resolve(-1), ANSWER_MS)
      socket.once('message', heard => {
        clearTimeout(late)
        resolve(heard.equals(message) ? heard.length : -2)
      })
    })
    socket.send(message, port, to)
    came.push(await answer)
  }
  socket.close()
  return came
}

interface Where {
  readonly to: string
  readonly port: number
}

/** Undefined where a line was answered; else what went wrong. */
function connectOnce({ to, port }: Where): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host: to, port, noDelay: true })
    const done = (failure?: string): void => {
      clearTimeout(late)
      socket.destroy()
      resolve(failure)
    }
    const late = setTimeout(() => done('silence'), PATIENCE_MS)
    socket.once('connect', () => socket.write('who\n'))
    socket.once('data', () => done())
    socket.once('error', error => done((error as NodeJS.ErrnoException).code ?? error.message))
    socket.once('end', () => done('closed'))
  })
}

async function timed(
  act: () => Promise<string | undefined>,
): Promise<{ readonly ms: number; readonly failure?: string }> {
  const start = performance.now()
  const failure = await act()
  return { ms: performance.now() - start, ...(failure !== undefined && { failure }) }
}

async function keepConnecting(task: Extract<Task, { do: 'keep connecting' }>): Promise<void> {
  let stopped = false
  let answered = 0
  const failures: string[] = []
  createInterface({ input: process.stdin }).once('line', () => {
    stopped = true
  })
  say('connecting')
  const one = async (): Promise<void> => {
    while (!stopped) {
      const failure = await connectOnce(task)
      if (failure === undefined) answered++
      else failures.push(failure)
    }
  }
  await Promise.all(Array.from({ length: task.abreast }, one))
  say({ answered, failures } satisfies Answered)
}

async function keepAsking({ to, port }: Where): Promise<void> {
  const socket = createSocket(isIPv6(to) ? 'udp6' : 'udp4')
  let stopped = false
  let answered = 0
  const failures: string[] = []
  createInterface({ input: process.stdin }).once('line', () => {
    stopped = true
  })
  say('asking')
  for (let i = 0; !stopped; i++) {
    if (await isAnswered(socket, `question ${i}`, { to, port })) answered++
    else failures.push(`question ${i}`)
  }
  say({ answered, failures } satisfies Answered)
}

function isAnswered(socket: UdpSocket, question: string, { to, port }: Where): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const hear = (heard: Buffer): void => {
    if (String(heard) === question) resolve(true)
  }
  const late = setTimeout(() => resolve(false), ANSWER_MS)
  socket.on('message', hear).send(question, port, to)
  return promise.finally(() => {
    clearTimeout(late)
    socket.off('message', hear)
  })
}

/** Connections that have been used once, and then wait. Each line on stdin asks how many are still there. */
async function hold(task: Extract<Task, { do: 'hold' }>): Promise<void> {
  let open = 0
  for (let invocation = 0; invocation < task.times; invocation += 100) {
    const batch = Array.from({ length: Math.min(100, task.times - invocation) }, () => held(task, () => open--))
    for (const ok of await Promise.all(batch)) if (ok) open++
  }
  say(open)
  createInterface({ input: process.stdin }).on('line', () => say(open))
}

function held({ to, port }: Where, lost: () => void): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: to, port })
    socket.once('connect', () => socket.write('hello\n'))
    socket.once('data', () => {
      socket.once('close', lost)
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function beReset({ to, port }: Where): Promise<string> {
  return new Promise(resolve => {
    const socket = connect({ host: to, port })
    socket.once('connect', () => socket.write('forget\n'))
    socket.once('error', error => resolve((error as NodeJS.ErrnoException).code ?? ''))
    socket.once('end', () => resolve('a polite end'))
  })
}
