import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ControlledCluster } from './controlled.ts'

// Nodes come, go, come back and bring ranges of their own, to a controller that speaks with an API server over HTTP.

let cluster: ControlledCluster
beforeEach(async () => {
  cluster = await ControlledCluster.start()
})
afterEach(() => cluster.close())

const DUAL = '--cluster-cidr=10.244.0.0/16,fd00:10:244::/48'
/** Four blocks. */
const SMALL = '--cluster-cidr=10.244.0.0/22'

describe('a cluster of nodes', () => {
  test('joins: each gets a range of each family, in the order of the flag', async () => {
    for (const name of ['a', 'b', 'c']) cluster.join(name)
    await cluster.controller(DUAL)
    await cluster.served('a', 'b', 'c')
    cluster.join('d')
    await cluster.served('d')
    expect(['a', 'b', 'c', 'd'].map(name => cluster.podCIDRs(name))).toEqual([
      ['10.244.0.0/24', 'fd00:10:244::/64'],
      ['10.244.1.0/24', 'fd00:10:244:1::/64'],
      ['10.244.2.0/24', 'fd00:10:244:2::/64'],
      ['10.244.3.0/24', 'fd00:10:244:3::/64'],
    ])
    const node = cluster.store.list('Node').find(({ metadata }) => metadata.name === 'a')
    expect(node?.spec).toEqual({ podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24', 'fd00:10:244::/64'] })
  })

  test('has masks of its own, and no range of Services', async () => {
    cluster.join('a')
    const masks = ['--node-cidr-mask-size-ipv4=26', '--node-cidr-mask-size-ipv6=60']
    await cluster.controller(DUAL, ...masks, '--service-cluster-ip-range=10.244.0.0/25,fd00:10:244::/108')
    await cluster.served('a')
    expect(cluster.podCIDRs('a')).toEqual(['10.244.0.128/26', 'fd00:10:244:10::/60'])
  })

  test('that kube-controller-manager has served before goes on: what is set is read first', async () => {
    cluster.join('z')
    for (const i of [0, 1, 2]) cluster.join(`old-${i}`, { podCIDR: `10.244.${i}.0/24`, podCIDRs: [`10.244.${i}.0/24`] })
    const { lines } = await cluster.controller(SMALL)
    await cluster.served('z')
    expect(cluster.podCIDRs('z')).toEqual(['10.244.3.0/24'])
    expect(cluster.record.split('\n').filter(line => line.startsWith('old-'))).toHaveLength(3)
    const methods = cluster.server.requests.map(({ method, path }) => `${method} ${path}`)
    const listed = methods.indexOf('GET /api/v1/nodes')
    expect(listed).toBeGreaterThanOrEqual(0)
    expect(listed).toBeLessThan(methods.findIndex(text => /^(POST|PATCH)/.test(text)))
    await cluster.until(() => lines.includes('"Set node PodCIDR" node="z" podCIDRs=["10.244.3.0/24"]'))
  })
})

describe('a node that is deleted', () => {
  test('gives its range back after the cooldown, to a node that has waited', async () => {
    for (const name of ['a', 'b', 'c', 'd']) cluster.join(name)
    const { lines } = await cluster.controller(SMALL, '--node-cidr-cooldown=20s')
    await cluster.served('a', 'b', 'c', 'd')
    cluster.join('e')
    const was = cluster.podCIDRs('b')
    cluster.leave('b')
    await cluster.until(() => /^b .* gone-since=/m.test(cluster.record))
    await cluster.pass(10_000)
    expect(cluster.podCIDRs('e')).toEqual([])
    await cluster.served('e')
    expect(cluster.podCIDRs('e')).toEqual(was)
    await cluster.until(() => lines.includes(`"Released CIDRs of a deleted node" node="b" CIDRs=["${was[0]}"]`))
  })

  test('and comes back under the same name is another node, with a range of its own', async () => {
    cluster.join('a')
    await cluster.controller(SMALL, '--node-cidr-cooldown=20s')
    await cluster.served('a')
    const was = cluster.podCIDRs('a')
    cluster.leave('a')
    cluster.join('a')
    await cluster.served('a')
    expect(cluster.podCIDRs('a')).not.toEqual(was)
    // Also where the controller has not seen that it was away.
    const lines = cluster.record.split('\n').filter(line => line.startsWith('a '))
    expect(lines.map(line => / gone-since=/.test(line))).toEqual([true, false])
    await cluster.until(() => !cluster.record.includes('gone-since'))
  })
})

describe('a node that has a range already', () => {
  test('outside of the cluster is reported, and the others are served', async () => {
    cluster.join('foreign', { podCIDR: '192.168.7.0/24', podCIDRs: ['192.168.7.0/24'] })
    cluster.join('a')
    const { lines } = await cluster.controller(SMALL)
    await cluster.served('a')
    const message =
      "podCIDRs 192.168.7.0/24 of node foreign are not in the cluster's 10.244.0.0/22; the Node stays as it is"
    await cluster.until(() => lines.includes(`CIDROutOfRange: ${message}`))
    expect(cluster.podCIDRs('foreign')).toEqual(['192.168.7.0/24'])
    await cluster.until(async () => (await cluster.events()).some(({ note }) => note === message))
  })

  test('larger than a block or in the middle of several: no block of it is given', async () => {
    cluster.join('large', { podCIDR: '10.244.0.0/23', podCIDRs: ['10.244.0.0/23'] })
    cluster.join('tiny', { podCIDR: '10.244.2.64/28', podCIDRs: ['10.244.2.64/28'] })
    cluster.join('a')
    await cluster.controller(SMALL)
    await cluster.served('a')
    expect(cluster.podCIDRs('a')).toEqual(['10.244.3.0/24'])
  })

  test('which another node has, too: both are named, neither is changed', async () => {
    for (const name of ['a', 'b']) cluster.join(name, { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] })
    cluster.join('c')
    const { lines } = await cluster.controller(SMALL)
    await cluster.served('c')
    await cluster.until(async () => (await cluster.events()).some(({ reason }) => reason === 'CIDRConflict'))
    expect(lines.filter(line => line.startsWith('CIDRConflict: '))).toEqual([
      'CIDRConflict: podCIDRs 10.244.1.0/24 of node b have addresses of node a, too; neither is changed: delete one of the two Nodes, so that it gets others when it registers again',
    ])
    expect(cluster.podCIDRs('c')).toEqual(['10.244.0.0/24'])
    const conflicts = (await cluster.events()).filter(({ reason }) => reason === 'CIDRConflict')
    expect(conflicts.map(({ regarding }) => regarding.name)).toEqual(['b'])
  })

  test('of one family in a cluster of two keeps it, and it is not given again', async () => {
    cluster.join('old', { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] })
    cluster.join('new')
    await cluster.controller('--cluster-cidr=10.244.0.0/22,fd00:10:244::/48')
    await cluster.served('new')
    expect(cluster.podCIDRs('old')).toEqual(['10.244.0.0/24'])
    expect(cluster.podCIDRs('new')).toEqual(['10.244.1.0/24', 'fd00:10:244::/64'])
  })
})

test('objects that cannot be: each is named in the log and left out, and the others are served', async () => {
  cluster.join('garbage', { podCIDRs: ['10.244.400.0/24'] })
  cluster.join('list', { podCIDRs: 'no list' })
  cluster.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'no-uid', uid: 'two words' } })
  cluster.join('good')
  const { lines } = await cluster.controller(SMALL)
  await cluster.served('good')
  await cluster.pass(20_000)
  expect(lines).toContain('"Left out a Node whose metadata.uid is missing or no uid" node="no-uid"')
  expect(lines.find(line => line.includes('name="garbage"'))).toMatch(/10\.244\.400\.0/)
  expect(lines.find(line => line.includes('name="list"'))).toMatch(/is not a list/)
  expect(cluster.podCIDRs('no-uid')).toEqual([])
  expect(cluster.doubled()).toEqual([])
})
