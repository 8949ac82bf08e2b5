import { afterEach, beforeEach, expect, test } from 'vitest'
import { ask, freePort } from '../../support/local-ports.ts'
import { ControlledCluster } from './controlled.ts'

// A range that comes to its end: it is said before, and when it has come, in the log, as Events and in numbers.

let cluster: ControlledCluster
beforeEach(async () => {
  cluster = await ControlledCluster.start()
})
afterEach(() => cluster.close())

test('nearly full, full, and with room again', async () => {
  const port = await freePort()
  // Sixteen blocks, of which Services have two.
  const flags = ['--cluster-cidr=10.244.0.0/20', '--service-cluster-ip-range=10.244.0.0/23', '--node-cidr-cooldown=5s']
  const { lines } = await cluster.controller(...flags, `--ranges-metrics-bind-address=127.0.0.1:${port}`)
  const numbers = async () => (await ask(port, '/metrics')).body
  const join = async (from: number, to: number): Promise<void> => {
    const names = Array.from({ length: to - from }, (_, i) => `n${from + i}`)
    for (const name of names) cluster.join(name)
    await cluster.served(...names)
  }
  const range = 'range="10.244.0.0/20" blocks=16'

  await join(0, 12)
  await cluster.until(async () => (await numbers()).includes('cidrset_usage_cidrs{clusterCIDR="10.244.0.0/20"} 0.875'))
  expect(lines.filter(line => line.includes('The range of the cluster'))).toEqual([])

  await join(12, 13)
  await cluster.until(() =>
    lines.includes(`"The range of the cluster is nearly full" ${range} used=13 excluded=2 free=1`),
  )
  await cluster.until(async () => (await cluster.events()).some(({ reason }) => reason === 'CIDRNearlyFull'))

  await join(13, 14)
  await cluster.until(() =>
    lines.includes(
      `"The range of the cluster is full" ${range} used=14 excluded=2 free=0 next="new nodes get no podCIDRs"`,
    ),
  )
  cluster.join('late')
  const message =
    'no block is left for node late: 10.244.0.0/20 has 16 blocks of /24, 14 used and 2 excluded for Services; none comes back soon'
  await cluster.until(() => lines.includes(`CIDRNotAvailable: ${message}`))
  await cluster.until(async () => (await cluster.events()).some(({ note }) => note === message))
  const event = (await cluster.events()).find(({ note }) => note === message)
  expect(event).toMatchObject({
    reason: 'CIDRNotAvailable',
    type: 'Warning',
    regarding: { kind: 'Node', name: 'late' },
  })
  const text = await numbers()
  for (const line of [
    'node_ipam_controller_cidrset_cidrs_allocations_total{clusterCIDR="10.244.0.0/20"} 14',
    'node_ipam_controller_cidrset_usage_cidrs{clusterCIDR="10.244.0.0/20"} 1',
    'node_ipam_controller_cirdset_max_cidrs{clusterCIDR="10.244.0.0/20"} 16',
    'node_ipam_controller_cidrset_allocation_tries_per_request_count{clusterCIDR="10.244.0.0/20"} 14',
    // The first went past those of Services.
    'node_ipam_controller_cidrset_allocation_tries_per_request_sum{clusterCIDR="10.244.0.0/20"} 2',
    'switchyard_ranges_blocks{clusterCIDR="10.244.0.0/20",state="free"} 0',
    'switchyard_ranges_nodes_in_trouble{reason="CIDRNotAvailable"} 1',
    'switchyard_ranges_node_writes_total{outcome="set"} 14',
  ])
    expect(text.split('\n')).toContain(line)

  for (const name of ['n0', 'n1', 'n2']) cluster.leave(name)
  await cluster.served('late')
  await cluster.until(() => lines.some(line => line.startsWith('"The range of the cluster has room again"')))
  await cluster.until(async () => (await numbers()).includes('nodes_in_trouble{reason="CIDRNotAvailable"} 0'))
  expect(await numbers()).toContain('cidrset_cidrs_releases_total{clusterCIDR="10.244.0.0/20"} 3\n')
  // Said once, although rounds went on.
  expect(lines.filter(line => line.startsWith('CIDRNotAvailable: '))).toHaveLength(1)
})

test('of two families, the one that is full is named, and no node gets half of what it needs', async () => {
  cluster.join('a')
  cluster.join('b')
  const { lines } = await cluster.controller('--cluster-cidr=10.244.0.0/24,fd00::/48')
  await cluster.served('a')
  await cluster.until(() => lines.some(line => line.startsWith('CIDRNotAvailable: ')))
  const line = lines.find(text => text.startsWith('CIDRNotAvailable: '))
  expect(line).toContain('10.244.0.0/24 has 1 block of /24, 1 used')
  expect(line).not.toContain('fd00')
  expect(cluster.podCIDRs('b')).toEqual([])
  expect(cluster.record).not.toMatch(/^b /m)
})
