import { describe, expect, test } from 'vitest'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { virtualServers } from '#proxy/modes/ipvs/virtual-servers.ts'
import { ip } from '../../../support/objects.ts'

const pod = (last: number, local: boolean): Endpoint => {
  return { ip: ip(`10.1.0.${last}`), port: 80, text: `10.1.0.${last}:80`, local }
}
const POOLS = { cluster: [pod(1, true), pod(2, false)], local: [pod(1, true)] }
const NODE = { nodeAddresses: ['127.0.0.1', '10.99.0.2', '192.0.2.2'].map(ip), nodePortAddresses: 'all' }

const frontend = (more: Partial<Frontend>): Frontend => {
  return { kind: 'external-ip', ip: ip('198.18.0.7'), port: 80, verdict: { to: 'gate' }, admits: 'all', ...more }
}
const NODE_PORT = { kind: 'node-port', ip: undefined, port: 30080 } as unknown as Partial<Frontend>

/** Each server with the endpoints behind it. */
function servers(frontends: readonly Partial<Frontend>[], traffic: Partial<ServiceTraffic> = {}, node: object = NODE) {
  const whole = { pools: POOLS, gate: { policy: 'Cluster' }, frontends: frontends.map(frontend), ...traffic }
  return virtualServers(whole as unknown as ServiceTraffic, node as unknown as NodeView).map(
    ({ ip, port, pool, isNodes }) =>
      `${ip}:${port} ${isNodes ? 'own ' : ''}-> ${pool.map(({ ip }) => ip.at(-1)).join('')}`,
  )
}

describe('behind a virtual server are', () => {
  const LOCAL = { gate: { policy: 'Local', others: 'local' } } as const
  test.each([
    ['the pool of its verdict', { verdict: { to: 'pool', pool: 'local' } }, {}, '1'],
    ['the cluster where the gate has policy Cluster', {}, {}, '12'],
    ['local endpoints where it has policy Local', {}, LOCAL, '1'],
    ['those of other nodes where only insiders are admitted', { admits: 'insiders' }, LOCAL, '12'],
    ['none where clients are rejected', { verdict: { to: 'reject' }, admits: 'none' }, {}, ''],
    ['none where clients are dropped', { verdict: { to: 'drop' }, admits: 'none' }, {}, ''],
  ] as const)('%s', (_, spec, traffic, pods) => {
    expect(servers([spec as Partial<Frontend>], traffic as Partial<ServiceTraffic>)).toEqual([
      `198.18.0.7:80 -> ${pods}`,
    ])
  })
})

describe('a node port has virtual servers', () => {
  test('at all addresses of the node but loopback', () => {
    expect(servers([NODE_PORT])).toEqual(['10.99.0.2:30080 own -> 12', '192.0.2.2:30080 own -> 12'])
  })

  test('at those that are wanted, and that the node has', () => {
    const nodePortAddresses = ['127.0.0.1', '192.0.2.2', '192.0.2.9'].map(ip)
    expect(servers([NODE_PORT], {}, { ...NODE, nodePortAddresses })).toEqual(['192.0.2.2:30080 own -> 12'])
  })

  test('nowhere, where the addresses of the node are not known', () => {
    expect(servers([NODE_PORT], {}, { nodePortAddresses: 'all' })).toEqual([])
  })
})

describe('of two frontends at one address and port', () => {
  const closed = { verdict: { to: 'drop' }, admits: 'none' } as const
  const inner = { verdict: { to: 'pool', pool: 'local' } } as const

  test('the first decides, where both lead to endpoints', () => {
    expect(servers([inner, {}])).toEqual(['198.18.0.7:80 -> 1'])
  })

  test('the one that leads to an endpoint decides, whatever the order', () => {
    expect(servers([closed, {}])).toEqual(['198.18.0.7:80 -> 12'])
    expect(servers([{}, closed])).toEqual(['198.18.0.7:80 -> 12'])
  })

  test('one remains where neither does', () => expect(servers([closed, closed])).toEqual(['198.18.0.7:80 -> ']))
})
