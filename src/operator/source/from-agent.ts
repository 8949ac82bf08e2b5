import { VERSION } from '#command-line/version.ts'
import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { type AgentAnswer, agentSocket, type RepairAnswer } from '#proxy/agent/servers/local-server.ts'
import { askLocalHttp, networkNamespace } from '#system/local-http.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { ShownRefusal } from '#telemetry/server.ts'
import { clusterOf, type Gathered } from './objects.ts'

// The agent that runs on this node → its settings and the cluster as it sees it, over its socket.

export interface AgentHere extends AgentAnswer {
  readonly socket: string
}

/** Why there is none to ask. */
export interface NoAgent {
  readonly why: string
  /** One runs, and is of no use yet or any more. */
  readonly isThere?: true
}

/** Nothing serves there, or it may not be asked. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'EACCES'])
const ANSWER_MS = 10_000
const REPAIR_MS = 120_000

export async function agentHere(log: Pick<Log, 'warning'>): Promise<AgentHere | NoAgent> {
  const namespace = await networkNamespace()
  if (namespace === undefined) return { why: 'this system has no network namespaces' }
  return agentAt(agentSocket(namespace), log)
}

export async function agentAt(socket: string, log: Pick<Log, 'warning'>): Promise<AgentHere | NoAgent> {
  try {
    const answer = (await asked(socket, 'GET', '/agent')) as AgentAnswer
    if (answer.version !== VERSION)
      log.warning(`the agent on this node is Switchyard ${answer.version}, this program is ${VERSION}`)
    if (!answer.isComplete) return { why: 'the agent on this node has not heard all of the cluster yet', isThere: true }
    return { ...answer, socket }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (ABSENT.has(code)) return { why: `no agent here (${socket}: ${reasonOf(error)})` }
    return { why: `the agent on this node is of no help (${socket}: ${reasonOf(error)})`, isThere: true }
  }
}

export async function gatherFromAgent({ socket, nodeName }: AgentHere, log: Log): Promise<Gathered> {
  const objects = (await asked(socket, 'GET', '/cluster')) as readonly ClusterObject[]
  return clusterOf(
    objects.map((object): Event => ({ type: 'put', object })),
    nodeName,
    log,
  )
}

export async function refusedByAgent(socket: string): Promise<readonly ShownRefusal[]> {
  return (await asked(socket, 'GET', '/refused')) as readonly ShownRefusal[]
}

/** Resolves when each lane has read the kernel and mended it. */
export async function repairedByAgent(socket: string): Promise<RepairAnswer> {
  return (await asked(socket, 'POST', '/repair', REPAIR_MS)) as RepairAnswer
}

function asked(socket: string, method: 'GET' | 'POST', path: string, withinMs = ANSWER_MS): Promise<unknown> {
  return askLocalHttp({ socket, method, path, withinMs })
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such socket'
  if (code === 'ECONNREFUSED') return 'no process serves there'
  return code === 'EACCES' ? 'permission denied, root may ask it' : message
}
