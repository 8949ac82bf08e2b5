import type { IncomingMessage } from 'node:http'
import { type Duplex, PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Refused } from '../requests/answers.ts'
import type { Target } from '../requests/resources.ts'
import type { Channels, WantedChannels } from './channels.ts'
import { type ContainerParts, containerOf } from './containers.ts'
import { isTrue } from './logs.ts'
import type { ExecSession, PodContainer, PodStreams } from './pod-streams.ts'
import { isSpdy, spdyChannels } from './spdy/spdy-channels.ts'
import { isWebsocket, websocketChannels, websocketProtocol } from './websocket/websocket-channels.ts'

// An upgrade of pods/exec → a command in a pod, and its input and output over the connection, with its exit code as the last word.

export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What came with the request. */
  readonly head: Buffer
}

export async function serveExec(parts: ContainerParts, target: Target, upgrade: Upgrade): Promise<void> {
  const { request, socket, head } = upgrade
  const query = new URL(request.url ?? '/', 'http://127.0.0.1').searchParams
  const protocol = isSpdy(request) ? 'spdy' : isWebsocket(request) ? websocketProtocol(request) : undefined
  if (protocol === undefined)
    throw new Refused(400, 'Upgrade request required: SPDY/3.1, or a WebSocket of v4 or v5.channel.k8s.io')
  const command = query.getAll('command')
  if (command.length === 0) throw new Refused(400, 'you must specify at least 1 command for the container')
  const { container, streams } = reachedPod(parts, target, query)
  const wanted = wantedChannels(query)
  const session = streams.exec(container, { command, stdin: wanted.stdin, tty: wanted.tty })
  // Whatever comes of it is awaited below.
  session.exit.catch(() => {})
  // Read from now on: the output of a child that ends before it is read is lost.
  const output = { stdout: session.stdout.pipe(new PassThrough()), stderr: session.stderr.pipe(new PassThrough()) }
  const channels =
    protocol === 'spdy'
      ? await spdyChannels(socket, head, wanted)
      : websocketChannels(request, socket, head, { protocol, wanted })
  await carry(session, output, channels)
}

/** Refuses where there is nothing that a command could run in. */
export function reachedPod(
  parts: ContainerParts,
  target: Target,
  query: URLSearchParams,
): { readonly container: PodContainer; readonly streams: PodStreams } {
  const { container, streams } = containerOf(parts, target, query.get('container'))
  if (streams === undefined) throw new Refused(400, `pod ${container.name} does not have a host assigned`)
  return { container, streams }
}

function wantedChannels(query: URLSearchParams): WantedChannels {
  const [stdin, stdout, stderr, tty] = ['stdin', 'stdout', 'stderr', 'tty'].map(name => isTrue(query.get(name)))
  return { stdin: stdin!, stdout: stdout!, stderr: stderr!, tty: tty! }
}

type Output = Pick<ExecSession, 'stdout' | 'stderr'>

async function carry(session: ExecSession, { stdout, stderr }: Output, channels: Channels): Promise<void> {
  channels.onResize((columns, rows) => session.resize(columns, rows))
  void channels.closed.then(() => session.kill())
  // A command that has ended reads no more, and that is no failure.
  pipeline(channels.stdin, session.stdin).catch(() => {})
  const written = [pipeline(stdout, channels.stdout), pipeline(stderr, channels.stderr)].map(it => it.catch(() => {}))
  const status = await session.exit.then(exitStatus, failure)
  if (!('failed' in status)) await Promise.all(written)
  channels.finish(JSON.stringify({ metadata: {}, ...('failed' in status ? status.failed : status) }))
}

function exitStatus(code: number): object {
  if (code === 0) return { status: 'Success' }
  return {
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

/** The command never ran, so its output never ends. */
function failure(error: unknown): { readonly failed: object } {
  const message = error instanceof Error ? error.message : String(error)
  return { failed: { status: 'Failure', message, reason: 'InternalError', code: 500 } }
}
