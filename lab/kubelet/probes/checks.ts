import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { Container } from '../pod/stands.ts'
import { inside } from '../runtime/namespaces/pod-namespace.ts'
import type { ContainerRun } from '../runtime/pod-runtime.ts'

// A probe or a hook of a container, carried out once → whether it succeeded, and if not why, in the words of a kubelet.

export interface Check {
  readonly exec?: { readonly command?: readonly string[] }
  readonly tcpSocket?: { readonly host?: string; readonly port: number | string }
  readonly httpGet?: {
    readonly host?: string
    readonly path?: string
    readonly port: number | string
    readonly scheme?: string
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
  }
}

export interface CheckPlace {
  readonly container: Container
  readonly run: ContainerRun
  /** Of the pod. */
  readonly ip: string
  /** Where it is asked from: the node. */
  readonly netns: string
  /** Aborts when it has taken too long. */
  readonly signal: AbortSignal
}

/** Undefined where it succeeded. */
export type CheckFailure = string | undefined

export type CarryOut = (check: Check, place: CheckPlace) => Promise<CheckFailure>

export const carryOut: CarryOut = async ({ exec, tcpSocket, httpGet }, place) => {
  try {
    if (exec) return await byCommand(exec.command ?? [], place)
    if (tcpSocket) return await byConnection(tcpSocket, place)
    if (httpGet) return await byRequest(httpGet, place)
    return 'only exec, tcpSocket and httpGet are known here'
  } catch (error) {
    return (error as Error).message
  }
}

async function byCommand(command: readonly string[], { run, signal }: CheckPlace): Promise<CheckFailure> {
  const session = run.exec({ command, stdin: false, tty: false })
  const kill = (): void => session.kill()
  signal.addEventListener('abort', kill)
  const texts = [textOf(session.stdout), textOf(session.stderr)]
  try {
    const code = await session.exit
    if (signal.aborted) return `command timed out: ${JSON.stringify(command.join(' '))}`
    return code === 0 ? undefined : (await Promise.all(texts)).join('').trim() || `exit status ${code}`
  } finally {
    signal.removeEventListener('abort', kill)
  }
}

async function textOf(stream: Readable): Promise<string> {
  let text = ''
  for await (const bytes of stream) text = `${text}${bytes}`.slice(0, MOST_TEXT)
  return text
}

const MOST_TEXT = 1024

async function byConnection({ host, port }: NonNullable<Check['tcpSocket']>, place: CheckPlace): Promise<CheckFailure> {
  const socket = await connected(host ?? place.ip, portOf(port, place.container), place)
  socket.destroy()
  return undefined
}

async function byRequest(get: NonNullable<Check['httpGet']>, place: CheckPlace): Promise<CheckFailure> {
  const { host = place.ip, path = '/', scheme = 'HTTP', httpHeaders = [] } = get
  const port = portOf(get.port, place.container)
  const url = `${scheme.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`
  const plain = await connected(host, port, place).catch((error: Error) => {
    throw new Error(`Get ${JSON.stringify(url)}: ${error.message}`)
  })
  // No certificate is looked at, as a kubelet does not.
  const socket = scheme === 'HTTPS' ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain
  const given = httpHeaders.map(({ name, value }) => [name.toLowerCase(), value] as const)
  const headers = { 'user-agent': PROBE_AGENT, accept: '*/*', connection: 'close', ...Object.fromEntries(given) }
  try {
    const status = await new Promise<number>((resolve, reject) => {
      const { signal } = place
      // With an agent, even with none of its own, it would make a connection itself: outside of the node.
      const request = httpRequest({ createConnection: () => socket, host, port, path, headers, signal })
      request.once('response', response => resolve(response.resume().statusCode ?? 0)).once('error', reject)
      request.end()
    })
    return status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`
  } catch (error) {
    return `Get ${JSON.stringify(url)}: ${place.signal.aborted ? 'no answer in time' : (error as Error).message}`
  } finally {
    socket.destroy()
    plain.destroy()
  }
}

/** By it, programs know probes from clients. */
const PROBE_AGENT = 'kube-probe/1.36'

function connected(host: string, port: number, { netns, signal }: CheckPlace): Promise<Socket> {
  // Answered in this turn: then the socket is made in it, too, so it is the node's.
  const lookup = (_host: string, _options: object, found: (error: null, address: string, family: number) => void) =>
    found(null, host, host.includes(':') ? 6 : 4)
  const options = { host: 'pod', port, autoSelectFamily: false, lookup: lookup as never }
  const socket = inside(netns, () => connect(options))
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      socket.destroy()
      reject(new Error(`dial tcp ${where}: ${why}`))
    }
    const late = (): void => fail('i/o timeout')
    signal.addEventListener('abort', late)
    if (signal.aborted) late()
    socket.on('error', (error: NodeJS.ErrnoException) => {
      signal.removeEventListener('abort', late)
      fail(error.code === 'ECONNREFUSED' ? 'connect: connection refused' : `connect: ${error.code}`)
    })
    socket.once('connect', () => {
      signal.removeEventListener('abort', late)
      resolve(socket)
    })
  })
}

function portOf(port: number | string, { ports = [] }: Container): number {
  const number =
    typeof port === 'number' ? port : (ports.find(({ name }) => name === port)?.containerPort ?? Number(port))
  if (Number.isInteger(number)) return number
  throw new Error(`port: ${JSON.stringify(port)} is not the name of a port of the container`)
}
