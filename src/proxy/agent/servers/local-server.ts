import { VERSION } from '#command-line/version.ts'
import type { Settings } from '#config/settings.ts'
import type { Configuration } from '#config/shown/effective.ts'
import type { ClusterObject } from '#kubernetes/objects.ts'
import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { Report } from '#proxy/sync/report.ts'
import { type LocalHttpListener, networkNamespace, serveLocalHttp } from '#system/local-http.ts'
import { type HttpAnswer, type HttpRequest, PAGE_NOT_FOUND } from '#system/sockets.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { ShownRefusal } from '#telemetry/server.ts'
import { FAMILIES, FAMILY_LABEL, type Family } from '#values/address.ts'
import type { Agent } from '../agent.ts'

// A running agent → what verbs on its node ask it over a socket of root's: its settings, the cluster as it sees it, and to read
// the kernel anew and mend what differs. It costs nothing while no verb asks.

export interface LocalServerParts {
  readonly settings: Settings
  readonly configuration: Configuration
  readonly nodeName: string
  readonly agent: Pick<Agent, 'cluster' | 'lanes' | 'distrust' | 'observe'>
  readonly log: Log
  readonly signal: AbortSignal
}

/** What `/agent` answers. */
export interface AgentAnswer {
  readonly version: string
  readonly nodeName: string
  readonly settings: Settings
  readonly configuration: Configuration
  /** Whether it has heard all of the cluster yet. */
  readonly isComplete: boolean
}

/** What `/repair` answers: of each family what its lane did. */
export interface RepairAnswer {
  readonly families: readonly { readonly family: Family; readonly units: number; readonly failure?: string }[]
}

/** One of each network namespace: several nodes may share a machine and its file system. */
export function agentSocket(namespace: string): string {
  return `/run/switchyard/proxy-${namespace}.sock`
}

/** Serves until the signal aborts. An agent whose folder may only be read goes on without. */
export async function serveLocalQuestions(parts: LocalServerParts): Promise<void> {
  const { log, signal } = parts
  const namespace = await networkNamespace()
  if (namespace === undefined || signal.aborted) return
  const path = agentSocket(namespace)
  const listener = await serveLocalHttp(path, answering(parts)).catch((error: unknown) => noSocket(log, error))
  if (listener === undefined) return
  log.info(3, 'Serving questions of this node', { socket: path })
  if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  await listener.close()
}

function noSocket(log: Log, error: unknown): LocalHttpListener | undefined {
  log.info(2, 'No socket for questions of this node', { reason: (error as Error).message })
  return undefined
}

type Answering = (request: Pick<HttpRequest, 'method' | 'path'>) => Promise<HttpAnswer>

export function answering({ settings, configuration, nodeName, agent }: Omit<LocalServerParts, 'signal'>): Answering {
  const { cluster } = agent
  const repairs = new Repairs(agent)
  const pages: Readonly<Record<string, () => unknown>> = {
    'GET /agent': (): AgentAnswer => ({
      version: VERSION,
      nodeName,
      settings,
      configuration,
      isComplete: cluster.complete,
    }),
    'GET /cluster': () => objectsOf(cluster),
    'GET /refused': (): readonly ShownRefusal[] =>
      agent.lanes.flatMap(({ family, refused }) =>
        refused.map(({ owner, unit, error }) => ({
          ipFamily: FAMILY_LABEL[family],
          servicePort: owner,
          unit,
          reason: (error as Error).message,
        })),
      ),
    'POST /repair': () => repairs.run(),
  }
  return async ({ method, path }) => {
    const page = `${method} ${path}`
    if (!Object.hasOwn(pages, page)) return PAGE_NOT_FOUND
    const headers = { 'Content-Type': 'application/json' }
    return { status: 200, headers, body: JSON.stringify(await pages[page]!()) }
  }
}

/** The ranges are one object: their names are no longer known. */
export function objectsOf(cluster: Cluster): readonly ClusterObject[] {
  const services = [...cluster.services()]
  const slices = services.flatMap(({ name }) => FAMILIES.flatMap(family => cluster.slices(name, family)))
  const { node, serviceRanges: cidrs } = cluster
  const ranges = { kind: 'ServiceCIDR', name: 'known-to-the-agent' as never, cidrs } as const
  return [...services, ...slices, ...(node === undefined ? [] : [node]), ...(cidrs.length === 0 ? [] : [ranges])]
}

/** The next sync of each lane reads the kernel; its report says what was mended. */
class Repairs {
  readonly #agent: LocalServerParts['agent']
  #isObserving = false
  readonly #waiting = new Set<(report: Report) => void>()

  constructor(agent: LocalServerParts['agent']) {
    this.#agent = agent
  }

  run(): Promise<RepairAnswer> {
    if (!this.#isObserving) {
      this.#agent.observe({ reported: report => void [...this.#waiting].map(wait => wait(report)) })
      this.#isObserving = true
    }
    const left = new Set(this.#agent.lanes.map(({ family }) => family))
    const families: RepairAnswer['families'][number][] = []
    return new Promise(resolve => {
      const wait = (report: Report): void => {
        const { family, failure, units, looked } = report
        // A sync that was under way before knows nothing of this.
        if ((!looked && failure === undefined) || !left.delete(family)) return
        const count = units.added + units.changed + units.removed
        const failed = failure === undefined ? {} : { failure: (failure.error as Error).message }
        families.push({ family, units: count, ...failed })
        if (left.size > 0) return
        this.#waiting.delete(wait)
        resolve({ families })
      }
      this.#waiting.add(wait)
      this.#agent.distrust()
    })
  }
}
