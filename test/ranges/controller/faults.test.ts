import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Fault } from '#lab/api-server/fault-plan.ts'
import { randomFrom } from '../../ipam/ring/paper-cluster.ts'
import { ControlledCluster } from './controlled.ts'

// What goes wrong between controllers and the API server: no range is given twice, and each node gets one in the end.

let cluster: ControlledCluster
beforeEach(async () => {
  cluster = await ControlledCluster.start()
})
afterEach(() => cluster.close())

const NODES = 200
const SEEDS = 6
/** How often two are late at the same time is no matter of the seed alone. */
const MOST_SEEDS = 40
const DUAL = ['--cluster-cidr=10.244.0.0/16,fd00:10:244::/48', '--node-cidr-cooldown=1s']

function fault(one: (limit: number) => number): Fault {
  const resource = ['configmaps', 'nodes'][one(2)]!
  const on = (['write', 'write', 'get', 'watch'] as const)[one(4)]!
  const places = { on, resource, times: 1 + one(6), after: one(4) }
  const kinds: readonly Fault[] = [
    { do: 'reset', ...places },
    { do: 'truncate', ...places },
    { do: 'status', code: [409, 429, 500, 503][one(4)]!, ...places },
    { do: 'stall', at: 'headers', ...places },
  ]
  return kinds[one(kinds.length)]!
}

test(`two controllers that both take themselves for the leader, ${NODES} nodes, cut connections and false answers, ${SEEDS} seeds`, {
  timeout: 600_000,
}, async () => {
  const sums = { late: 0, failedRounds: 0, failedNodes: 0 }
  const isProven = () => Object.values(sums).every(count => count > 0)
  for (let seed = 1; seed <= (isProven() ? SEEDS : MOST_SEEDS); seed++) {
    const random = randomFrom(seed)
    const one = (limit: number) => Math.floor(random() * limit)
    await cluster.close()
    cluster = await ControlledCluster.start()
    const controllers = [await cluster.controller(...DUAL), await cluster.controller(...DUAL)]
    const undo: (() => void)[] = []
    for (let joined = 0; joined < NODES; ) {
      const many = Math.min(NODES - joined, 1 + one(40))
      for (let i = 0; i < many; i++) cluster.join(`n${joined++}`)
      for (let i = 0; i < 4; i++) undo.push(cluster.server.inject(fault(one)))
      if (one(4) === 0) cluster.server.dropConnections()
      if (one(3) === 0) cluster.leave(`n${one(joined)}`)
      await cluster.pass(one(3000))
      expect(cluster.doubled(), `seed ${seed}`).toEqual([])
    }
    for (const back of undo) back()
    await cluster.served(...cluster.nodes)
    expect(cluster.doubled(), `seed ${seed}`).toEqual([])
    for (const name of cluster.nodes) expect(cluster.podCIDRs(name)).toHaveLength(2)
    // None is lost: what is recorded is what the Nodes have.
    await cluster.until(() => cluster.record.split('\n').length === cluster.nodes.length + 3)
    const text = controllers.flatMap(({ lines }) => lines)
    sums.failedRounds += text.filter(line => line.includes('could not be compared')).length
    sums.late += text.filter(line => line.includes('A Node was not as it was listed')).length
    sums.failedNodes += text.filter(line => line.startsWith('CIDRAssignmentFailed: ')).length
  }
  // Nothing was for nothing.
  for (const [what, count] of Object.entries(sums)) expect(count, what).toBeGreaterThan(0)
})

describe('an API server that is away for a minute', () => {
  test('is waited for; nodes keep what they have, and those that have come are served afterwards', async () => {
    cluster.join('a')
    const flags = ['--leader-elect=true', '--cluster-cidr=10.244.0.0/16']
    const { lines } = await cluster.controller(...flags)
    await cluster.served('a')
    const was = cluster.podCIDRs('a')
    const undo = [
      cluster.server.inject({ do: 'status', code: 503 }),
      cluster.server.inject({ do: 'close', on: 'watch' }),
    ]
    cluster.server.dropConnections()
    await cluster.pass(60_000)
    cluster.join('b')
    expect(cluster.podCIDRs('b')).toEqual([])
    expect(lines).toContainEqual(expect.stringContaining('Waiting for the API server; Nodes keep the ranges they have'))
    expect(lines).toContainEqual(expect.stringContaining('Stopped leading: the Lease was not renewed in time'))
    expect(lines.length).toBeLessThan(80)
    for (const back of undo) back()
    await cluster.served('b')
    expect(cluster.podCIDRs('a')).toEqual(was)
    expect(lines.filter(line => line.startsWith('"Successfully acquired lease"'))).toHaveLength(2)
  })
})
