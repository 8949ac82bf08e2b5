import { afterEach, beforeEach, expect, test } from 'vitest'
import { WatchedNode } from './watched-node.ts'

let watched: WatchedNode
beforeEach(() => {
  watched = new WatchedNode()
})
afterEach(() => watched.close())

const WHY = 'why="not in use by its network namespace and the runtime\'s results and the API server, in 3 rounds"'
const A = 'ips=["10.9.0.2"] pod="default/a" network="mynet" container="a" ifname="eth0"'

test('a leak is reported once, and not taken back unless that is asked for', async () => {
  const { node } = watched
  await node.add('a')
  await node.add('b')
  await node.minutes(2)
  node.vanish('a')
  watched.start()
  await node.minutes(5)
  expect(watched.lines()).toEqual([
    `"Lease may be leaked" ${A} why="not in use by its network namespace and the runtime's results and the API server, 1 of 3 rounds"`,
    `"Leaked lease found" ${A} ${WHY} next="switchyard ipam gc --free takes it back"`,
  ])
  expect(watched.numbers()).toEqual([
    'ipam_leak_rounds_total{result="done"} 6',
    'ipam_leaked_attachments 1',
    'ipam_leaks_found_total{network="mynet"} 1',
  ])
  expect(await node.held()).toHaveLength(2)
})

test('a leak is taken back where that is asked for', async () => {
  const { node } = watched
  await node.add('a')
  await node.add('b')
  await node.minutes(2)
  node.vanish('a')
  watched.start({ found: 'free' })
  await node.minutes(5)
  expect(watched.lines().slice(1)).toEqual([`"Leaked lease freed" ${A} ${WHY}`])
  expect(watched.numbers()).toEqual([
    'ipam_leak_rounds_total{result="done"} 6',
    'ipam_leaks_found_total{network="mynet"} 1',
    'ipam_leaks_freed_total{network="mynet"} 1',
  ])
  expect(await node.held()).toEqual([JSON.stringify(['mynet', 'b', 'eth0'])])
})

test('a witness that does not answer is reported when it begins and when it ends', async () => {
  const { node } = watched
  await node.add('a')
  await node.minutes(2)
  node.vanish('a')
  node.failing.add('api')
  watched.start({ found: 'free' })
  await node.minutes(3)
  expect(watched.lines()).toEqual([
    '"Witness of leases does not answer" witness="api" err="cannot reach https://10.0.0.1:6443" next="what it might name is not freed"',
  ])
  expect(watched.numbers()).toContain('ipam_witness_failures_total{witness="api"} 4')
  expect(await node.held()).toHaveLength(1)
  node.failing.clear()
  await node.minutes(1)
  expect(watched.lines()).toContain('"Witness of leases answers again" witness="api"')
})

test('an address in use without a lease is reported when it is found and when it is gone', async () => {
  const { node } = watched
  const [lease] = await node.add('a')
  await node.add('b')
  node.namespaces.get('/run/netns/b')!.addresses.add(lease!.address)
  watched.start({ found: 'free' })
  await node.minutes(3)
  const pairs = 'ip="10.9.0.2" pod="default/b" network="mynet" container="b" ifname="eth0" netns="/run/netns/b"'
  expect(watched.lines()).toEqual([
    `"Address in use without a lease" ${pairs} leasedTo="default/a" next="it is given to no other pod while it is in use"`,
  ])
  expect(watched.numbers()).toContain('ipam_conflicts 1')
  await node.del('b')
  await node.minutes(1)
  expect(watched.lines()).toEqual([`"Address no longer in use without a lease" ${pairs}`])
})

test('a round that fails is reported, and the next one is made', async () => {
  const { node } = watched
  await node.add('a')
  const { leaks } = node
  const broken = Object.create(leaks, { conflicts: { value: () => Promise.reject(new Error('the disk is full')) } })
  node.leaks = broken
  watched.start()
  await node.minutes(0)
  expect(watched.lines()).toEqual([
    '"Leases could not be compared with what uses them" err="the disk is full" next="the next round tries again"',
  ])
  node.leaks = leaks
  await node.minutes(1)
  expect(watched.numbers()).toEqual([
    'ipam_leak_rounds_total{result="done"} 1',
    'ipam_leak_rounds_total{result="failed"} 1',
  ])
})

test('with a period of 0 nothing is looked for', async () => {
  const { node } = watched
  watched.start({ periodMs: 0 })
  await node.minutes(10)
  expect(watched.numbers()).toEqual([])
  expect(node.clock.sleepers).toBe(0)
})
