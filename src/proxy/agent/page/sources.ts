import { VERSION } from '#command-line/version.ts'
import type { ApiStats } from '#kubernetes/stats.ts'
import type { PageFeed } from '#page/feed.ts'
import type { AddressSource, RangesOfNode } from '#page/views/pods.ts'
import type { PageSources } from '#page/views/sources.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import { processStartedAt } from '#system/vitals.ts'
import type { Agent } from '../agent.ts'
import { explainAnswer } from './explain.ts'
import { healthView } from './health.ts'
import { serviceSource } from './services.ts'
import type { SyncHistory } from './sync-history.ts'

// A running agent → all that its page shows. Loaded with the page, when one is asked for.

export interface AgentPageParts {
  readonly agent: Agent
  readonly mode: string
  readonly nodeName: string
  readonly version?: string | undefined
  readonly stats: ApiStats
  readonly clock: Clock
  readonly kernel: Kernel
  readonly feed: PageFeed
  readonly history: SyncHistory
  /** What the other wing has on this node, where it is there. */
  readonly pods: PodViews | undefined
}

export interface PodViews {
  readonly addresses: AddressSource
  readonly sets: RangesOfNode['sets']
}

export function agentSources(parts: AgentPageParts): PageSources {
  const { agent, mode, nodeName, version = VERSION, stats, clock, kernel, feed, history, pods } = parts
  const startedAt = processStartedAt()
  const about = { agent, stats, startedAt, now: () => clock.now(), runtime: `Node ${process.version}`, history }
  const asked = { agent, nodeName, kernel, addresses: pods?.addresses }
  const follow = (changed: () => void) => feed.follow(changed)
  return {
    about: { program: 'service proxy', node: nodeName, version, mode },
    health: { follow, health: () => healthView(about) },
    services: serviceSource(agent, feed),
    explain: { from: () => 'node', ask: question => explainAnswer(question, asked) },
    syncs: { follow, recent: () => history.recent(), repairs: () => history.repairs() },
    ranges: rangesOf(agent, follow, pods),
    ...(pods !== undefined && { addresses: pods.addresses }),
  }
}

/** The agent knows its own Node, and the ranges of Services; how full the sets are is in the database of the other wing. */
function rangesOf({ cluster }: Agent, follow: RangesOfNode['follow'], pods: PodViews | undefined): RangesOfNode {
  return {
    follow(changed) {
      const ends = [follow(changed), pods?.addresses.follow(changed)]
      return () => {
        for (const end of ends) end?.()
      }
    },
    sets: () => pods?.sets() ?? [],
    nodes: () => {
      const { node } = cluster
      if (node === undefined) return []
      return [{ node: node.name, isThisNode: true, addresses: node.addresses, ranges: node.podCIDRs }]
    },
    cluster: () => (cluster.serviceRanges.length === 0 ? [] : [{ name: 'Services', ranges: cluster.serviceRanges }]),
  }
}
