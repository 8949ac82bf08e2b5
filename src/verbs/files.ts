import { unreadable } from '#api/access/problem.ts'
import { documents } from '#api/files.ts'
import { Cluster } from '#cluster/cluster.ts'
import type { Mode, Ruleset } from '#modes/mode.ts'
import { Draft } from '#sync/draft.ts'
import { readStandardInput, readText } from '#system/files.ts'
import type { Family } from '#values/address.ts'
import type { Begun } from './start.ts'
import { lookAround, type Machine } from './surroundings.ts'
import { tellProblem } from './telling.ts'

// The files of a command line → a cluster, and the rules this node would have for it.

/** What is not usable is told and left out. */
export async function clusterOfFiles({ settings, log }: Pick<Begun, 'settings' | 'log'>): Promise<Cluster> {
  const cluster = new Cluster()
  const texts = await Promise.all(settings.filenames.map(async name => ({ name, text: await readDocument(name) })))
  for (const event of documents(texts)) {
    if (event.type === 'problem') tellProblem(log, event)
    cluster.apply(event)
  }
  return cluster
}

export interface Viewpoint {
  readonly mode: Mode
  readonly family: Family
  readonly nodeName: string
  readonly machine: Machine
}

export function rulesOf(cluster: Cluster, { settings }: Pick<Begun, 'settings'>, viewpoint: Viewpoint): Ruleset {
  const { mode, family, nodeName, machine } = viewpoint
  const draft = new Draft(cluster, mode, lookAround({ settings, family, nodeName, machine: () => machine }))
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
