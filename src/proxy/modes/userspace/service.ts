import * as words from '#dialects/iptables.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { PoolName, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { ChainLines } from '#proxy/modes/netfilter/chain-lines.ts'
import type { Address } from '#values/address.ts'
import { poolLine } from '#values/pool-line.ts'
import { closeFrontend } from './frontends/closed.ts'
import { openFrontend } from './frontends/open.ts'
import { answersAt } from './frontends/own-address.ts'
import { listenerName, listenUnit, NON_LOCAL } from './names.ts'

// One service port → a listener for each pool that frontends use, and the lines that redirect clients to it or refuse
// them.

export function service(traffic: ServiceTraffic, node: NodeView, listenOn: Address | undefined): readonly Entry[] {
  const { id, protocol, frontends, healthCheckPort } = traffic
  const lines = new ChainLines()
  for (const frontend of frontends) {
    if (protocol !== 'sctp') openFrontend({ traffic, node, listenOn, lines }, frontend)
    closeFrontend({ traffic, node, lines }, frontend)
  }
  if (healthCheckPort !== undefined) {
    const why = words.comment(`${id} health check node port`)
    lines.add('filter', NON_LOCAL, '-p tcp', why, words.dport('tcp', healthCheckPort), '-j ACCEPT')
  }
  return [...listeners(traffic, answersAt(traffic, node, listenOn)), ...lines.entries]
}

function listeners(traffic: ServiceTraffic, at: Address | undefined): readonly Entry[] {
  if (traffic.protocol === 'sctp') return []
  return (['cluster', 'local'] as const).filter(pool => isUsed(traffic, pool)).map(pool => listener(traffic, pool, at))
}

function isUsed({ pools, frontends, gate }: ServiceTraffic, pool: PoolName): boolean {
  if (pools[pool].length === 0) return false
  if (frontends.some(({ verdict }) => verdict.to === 'pool' && verdict.pool === pool)) return true
  if (gate === undefined) return false
  return pool === 'cluster' || (gate.policy === 'Local' && gate.others === 'local')
}

function listener(traffic: ServiceTraffic, pool: PoolName, at: Address | undefined): Entry {
  const { stickySeconds } = traffic
  const endpoints = traffic.pools[pool].map(({ text }) => text)
  const sticky = stickySeconds !== undefined && { stickySeconds }
  return {
    unit: listenUnit(listenerName(traffic, pool)),
    text: poolLine({ endpoints, ...sticky, ...(at !== undefined && { at }) }),
  }
}
