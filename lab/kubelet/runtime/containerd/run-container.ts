import { randomUUID } from 'node:crypto'
import { CallRefused } from '#lab/containerd/runtime-client.ts'
import type { Clock } from '#system/ports.ts'
import type { Container } from '../../pod/stands.ts'
import { startExec } from '../../streams/exec-session.ts'
import type { ContainerRun, ContainerStart, RunEnd } from '../pod-runtime.ts'
import { type ContainersClient, logPath } from './containers-client.ts'
import { readCriLog } from './cri-log.ts'

// A container of containerd, from its start to its end.

export interface RunContainerParts {
  readonly client: ContainersClient
  readonly image: string
  /** Of containerd, for `ctr`. */
  readonly socket: string
  readonly logFolder: string
  readonly clock: Clock
  /** Aborts when containerd is left. */
  readonly signal: AbortSignal
}

/** Its end is asked for: this containerd does not say by itself. */
const POLL_MS = 300
/** The kubelet kills when it is time. */
const PATIENCE_SECONDS = 86_400

export async function runContainer(start: ContainerStart, parts: RunContainerParts): Promise<ContainerRun> {
  const { client, clock, socket, logFolder } = parts
  const env = { POD_NAME: start.sandbox.name, TCP_PORTS: tcpPorts(start.container), ...start.env }
  const id = await client.createContainer({ ...start, env }, parts.image)
  let end: RunEnd | undefined
  const refused = await client.startContainer(id).catch((error: unknown) => {
    if (error instanceof CallRefused) return error.message
    throw error
  })
  const ended = refused === undefined ? endOf(id, parts) : Promise.resolve({ exitCode: 128, startError: refused })
  void ended.then(it => {
    end = it
  })
  const path = `${logFolder}/${start.pod.metadata.uid}/${logPath(start)}`
  const stop = (seconds: number): void => void client.stopContainer(id, seconds).catch(() => {})
  return {
    ...{ id: `containerd://${id}`, ended },
    terminate: () => stop(PATIENCE_SECONDS),
    kill: () => stop(0),
    log: options => readCriLog({ path, clock, hasEnded: () => end !== undefined }, options),
    exec: ({ command, tty, stdin }) => {
      const into = ['tasks', 'exec', '--exec-id', randomUUID(), ...(tty ? ['--tty'] : []), id, ...command]
      const argv = ['ctr', '-a', socket, '-n', 'k8s.io', ...into] as const
      return startExec({ argv, env: { PATH: process.env.PATH ?? '' }, tty, stdin })
    },
  }
}

async function endOf(id: string, { client, clock, signal }: RunContainerParts): Promise<RunEnd> {
  let failures = 0
  while (!signal.aborted && failures < MOST_FAILURES) {
    try {
      const end = await client.endOf(id)
      if (end !== undefined) return end
      failures = 0
    } catch (error) {
      failures += 1
      // It was removed.
      if (error instanceof CallRefused) break
    }
    await clock.sleep(POLL_MS, signal)
  }
  return { exitCode: KILLED, signal: 9 }
}

/** In a row: then containerd is gone, and its containers are not ours to end any more. */
const MOST_FAILURES = 20

/** 128 and the number of SIGKILL. */
const KILLED = 137

/** For the lab's own image. */
function tcpPorts({ ports = [] }: Container): string {
  const tcp = ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP')
  return tcp.map(({ containerPort }) => containerPort).join(' ')
}
