import type { Invocation } from '#command-line/start.ts'
import { unreadable } from '#kubernetes/access/problem.ts'
import { documents } from '#kubernetes/files.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import { type HostNetwork, nodeReader } from '#proxy/node/node-view.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { readStandardInput, readText } from '#system/files.ts'
import { logProblem } from '#telemetry/log/kubernetes.ts'
import type { Family } from '#values/address.ts'

// The files of a command line → a cluster, and the rules this node would have for it.

/** What is not usable is told and left out. */
export async function clusterOfFiles({ settings, log }: Pick<Invocation, 'settings' | 'log'>): Promise<Cluster> {
  const cluster = new Cluster()
  const texts = await Promise.all(settings.filenames.map(async name => ({ name, text: await readDocument(name) })))
  for (const event of documents(texts)) {
    if (event.type === 'problem') logProblem(log, event)
    cluster.apply(event)
  }
  return cluster
}

export interface Viewpoint {
  readonly mode: Mode
  readonly family: Family
  readonly nodeName: string
  readonly machine: HostNetwork
}

export function rulesOf(cluster: Cluster, { settings }: Pick<Invocation, 'settings'>, viewpoint: Viewpoint): Ruleset {
  const { mode, family, nodeName, machine } = viewpoint
  const draft = new Draft(cluster, mode, nodeReader({ settings, family, nodeName, machine: () => machine }))
  draft.update()
  return draft.book.rules
}

async function readDocument(name: string): Promise<string> {
  try {
    return await (name === '-' ? readStandardInput() : readText(name))
  } catch (error) {
    throw new Error(`--filename (-f): cannot read ${name}: ${unreadable(error)}`)
  }
}
