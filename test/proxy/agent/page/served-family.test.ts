import { describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { servedFamily } from '#proxy/agent/page/served-family.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { Draft } from '#proxy/sync/draft.ts'
import type { Family } from '#values/address.ts'
import { smallCluster } from '../../../page/clusters.ts'
import { DEFAULT_FLAGS, nodeFacts } from '../../../support/flags.ts'
import { endpoint, ip, name, port, service, slice } from '../../../support/objects.ts'
import { modeOf } from '../../modes/nftables/scene.ts'

function served(called = 'shop/web', family: Family = 'ipv4', objects: readonly ClusterObject[] = smallCluster()) {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const addresses = ['127.0.0.1', '10.0.0.1'].map(ip)
  const draft = new Draft(cluster, modeOf(family), nodeFacts({ flags: DEFAULT_FLAGS, family, addresses }))
  draft.update()
  const refused = [{ owner: 'shop/web:dns/udp', unit: 'chain x', error: new Error('no room') }]
  return servedFamily(name(called), { family, draft, refused } as never, cluster)
}

describe('the ports of a Service', () => {
  test('have a frontend for each address, with what to ask for to reach it', () => {
    const [http, dns] = served().ports
    expect(http!.frontends).toEqual([
      {
        kind: 'cluster-ip',
        at: '10.96.0.10:80',
        goes: { to: 'endpoints', count: 2, pool: 'cluster' },
        sourceRanges: [],
        goal: '10.96.0.10:80/tcp',
      },
      {
        kind: 'load-balancer',
        at: '192.0.2.10:80',
        goes: { to: 'gate', inside: 2, outside: 1, policy: 'Local' },
        sourceRanges: [],
        goal: '192.0.2.10:80/tcp',
      },
      {
        kind: 'node-port',
        at: ':30080',
        goes: { to: 'gate', inside: 2, outside: 1, policy: 'Local' },
        sourceRanges: [],
        goal: '10.0.0.1:30080/tcp',
      },
    ])
    expect(dns!.frontends.map(({ at }) => at)).toEqual(['10.96.0.10:53', '192.0.2.10:53'])
  })

  test('say what each endpoint is used for, and where it is', () => {
    const [http] = served().ports
    expect(http!.endpoints.map(({ text, use, isLocal, node }) => [text, use, isLocal, node])).toEqual([
      ['10.244.1.2:8080', 'in use', true, 'here'],
      ['10.244.2.3:8080', 'in use', false, 'there'],
      ['10.244.2.4:8080', 'leaving', false, 'there'],
    ])
  })

  test('say why the kernel does not have their rules', () => {
    expect(served().ports.map(({ name, refused }) => [name, refused])).toEqual([
      ['http', undefined],
      ['dns', 'no room'],
    ])
  })
})

describe('a frontend leads', () => {
  const goes = (more: object, endpoints: readonly ReturnType<typeof endpoint>[]) => {
    const spec = { ports: [port({ port: 80, nodePort: 30080 })], ...more }
    const objects = [service('a/b', ['10.96.0.1'], spec), slice('a/b-1', 'a/b', endpoints)]
    return served('a/b', 'ipv4', objects).ports[0]!.frontends.map(({ goes }) => goes)
  }
  const far = [endpoint('10.244.2.3', { nodeName: 'there' })]

  test('nowhere, without endpoints', () => expect(goes({}, [])).toEqual([{ to: 'rejected' }, { to: 'rejected' }]))

  test('to the cluster, where nothing is Local', () => {
    const all = { to: 'endpoints', count: 1, pool: 'cluster' }
    expect(goes({}, far)).toEqual([all, all])
  })

  test('nowhere for clients outside, where policy is Local and no endpoint is here', () => {
    const [inner, outer] = goes({ internalPolicy: 'Local', externalPolicy: 'Local', type: 'NodePort' }, far)
    expect([inner, outer]).toEqual([{ to: 'dropped' }, { to: 'gate', inside: 1, outside: 'dropped', policy: 'Local' }])
  })
})

describe('the rules of a Service', () => {
  test('are those that it has alone, by the program that reads them', () => {
    const [rules, ...more] = served().rules
    expect([rules!.reader, more]).toEqual(['nft -f -', []])
    expect(rules!.text).toContain('192.0.2.10 . tcp . 80')
    expect(rules!.text).not.toContain('10.96.0.11')
    expect(rules!.text).not.toContain('masquerading')
  })

  test('of which two ports have the same show it once', () => {
    const lines = served().rules[0]!.text.split('\n')
    expect(new Set(lines).size).toBe(lines.length)
  })

  test.each(['shop/headless', 'shop/gone'])('of %s are none', called => {
    expect(served(called)).toEqual({ family: 'ipv4', ports: [], rules: [] })
  })

  test('of the other family are other ones', () => {
    const { ports, rules } = served('shop/web', 'ipv6')
    expect(ports[0]!.endpoints.map(({ text }) => text)).toEqual(['[fd00:244:1::2]:8080'])
    expect(rules[0]!.text).toContain('fd00:96::10 . tcp . 80')
  })
})
