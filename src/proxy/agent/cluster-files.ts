import type { Invocation } from '#command-line/start.ts'
import { unreadable } from '#kubernetes/access/problem.ts'
import type { Event } from '#kubernetes/event.ts'
import { documents } from '#kubernetes/sources/files.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import { type HostNetwork, nodeReader } from '#proxy/node/node-view.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { readStandardInput, readText } from '#system/files.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { Family } from '#values/address.ts'

// The files of a command line → a cluster, and the rules this node would have for it.

/** Objects that cannot be used are left out, with a warning for each problem. */
export async function clusterOfFiles({ settings, log }: Pick<Invocation, 'settings' | 'log'>): Promise<Cluster> {
  const cluster = new Cluster()
  const texts = await Promise.all(
    settings.filenames.map(async path => ({ name: fileName(path), text: await readDocument(path) })),
  )
  for (const event of documents(texts)) {
    warn(log, event)
    cluster.apply(event)
  }
  return cluster
}

export interface RulesOptions {
  readonly mode: Mode
  readonly family: Family
  readonly nodeName: string
  readonly hostNetwork: HostNetwork
}

export function rulesOf(cluster: Cluster, { settings }: Pick<Invocation, 'settings'>, options: RulesOptions): Ruleset {
  const { mode, family, nodeName, hostNetwork } = options
  const draft = new Draft(cluster, mode, nodeReader({ settings, family, nodeName, hostNetwork: () => hostNetwork }))
  draft.update()
  return draft.book.rules
}

function warn(log: Log, event: Event): void {
  if (event.type === 'problem') {
    for (const problem of event.problems) log.warning(`${event.kind} ${event.name}: ${problem} (left out)`)
  }
  if (event.type === 'put') {
    for (const warning of event.warnings ?? []) log.warning(`${event.object.kind} ${event.object.name}: ${warning}`)
  }
}

const STANDARD_INPUT = '-'

/** As messages have it. */
function fileName(path: string): string {
  return path === STANDARD_INPUT ? 'standard input' : path
}

async function readDocument(path: string): Promise<string> {
  try {
    return await (path === STANDARD_INPUT ? readStandardInput() : readText(path))
  } catch (error) {
    throw new Error(`--filename (-f): cannot read ${fileName(path)}: ${unreadable(error)}`)
  }
}
