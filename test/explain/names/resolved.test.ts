import { describe, expect, test } from 'vitest'
import type { Directory, KnownPod } from '#explain/names/directory.ts'
import { fromIn, goalIn } from '#explain/names/party.ts'
import { portList, sourceOf, targetsOf } from '#explain/names/resolved.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Family } from '#values/address.ts'
import { ip, node, port, service } from '../../support/objects.ts'

// Names of Services, Nodes and pods, looked up: what is meant, or one line that says what is there instead.

const CLUSTER = new Cluster()
for (const object of [
  service('shop/cart', ['10.96.0.10', 'fd00:96::10'], {
    ports: [
      port({ name: 'http', port: 80 }),
      port({ name: 'dns', port: 53, protocol: 'udp' }),
      port({ name: 'dns-tcp', port: 53 }),
    ],
  }),
  service('default/plain', ['10.96.0.11']),
  service('default/headless', []),
  service('default/outside', [], { type: 'ExternalName' }),
])
  CLUSTER.apply({ type: 'put', object })

const NODES = [
  node('one', { addresses: [ip('192.0.2.1'), ip('2001:db8::1')] }),
  node('two', { addresses: [ip('192.0.2.2')] }),
  node('bare'),
]

function pod(name: string, more: Partial<KnownPod> = {}): KnownPod {
  return { pod: name, node: 'one', addresses: [], isFinished: false, isOnHost: false, ...more }
}

const PODS = [
  pod('default/old', { addresses: [ip('10.244.1.7')], isFinished: true, node: 'two' }),
  pod('default/agent', { addresses: [ip('192.0.2.9')], isOnHost: true }),
  pod('default/web', { addresses: [ip('10.244.1.7'), ip('fd00:244::7')] }),
  pod('shop/young'),
  pod('shop/unplaced', { addresses: [ip('10.244.9.9')], node: '' }),
]

function directory(more: Partial<Directory> = {}): Directory {
  return {
    ...{ cluster: CLUSTER, nodes: NODES, nodeName: 'one', namespace: 'default' },
    pods: async () => PODS,
    ...more,
  }
}

const from = (text: string, more: Partial<Directory> = {}) => sourceOf(fromIn(text), directory(more))
const to = (text: string, family?: Family, more: Partial<Directory> = {}) =>
  targetsOf(goalIn(text), directory(more), family)
const ends = async (text: string, family?: Family) =>
  (await to(text, family)).map(one => `${one.label} ${one.to} ${one.port}/${one.protocol}`)

describe('FROM', () => {
  test('an address is that of its node, or of its pod', async () => {
    expect(await from('192.0.2.2')).toEqual({ label: 'node two', addresses: ['192.0.2.2'], node: 'two' })
    expect(await from('10.244.9.9')).toEqual({ label: 'pod shop/unplaced', addresses: ['10.244.9.9'], pod: PODS[4] })
    expect(await from('203.0.113.7')).toEqual({ label: '203.0.113.7', addresses: ['203.0.113.7'] })
  })

  test('an address that a finished pod had is that of the pod that has it now', async () => {
    expect(await from('10.244.1.7')).toMatchObject({ label: 'pod default/web', node: 'one' })
  })

  test('an address is taken as it is where no pods are known', async () => {
    expect(await from('10.244.1.7', { pods: async () => undefined })).toEqual({
      ...{ label: '10.244.1.7', addresses: ['10.244.1.7'] },
    })
  })

  test('the node without a name is the one whose rules are followed', async () => {
    expect(await from('node')).toMatchObject({ node: 'one', addresses: ['192.0.2.1', '2001:db8::1'] })
    expect(await from('node/two')).toMatchObject({ node: 'two' })
  })

  test('a pod is looked up in the usual namespace', async () => {
    expect(await from('pod/web')).toMatchObject({ label: 'pod default/web', node: 'one' })
    await expect(from('pod/web', { namespace: 'shop' })).rejects.toThrow('FROM: there is no pod "shop/web"')
  })

  test.each([
    ['pod/old', 'FROM: pod default/old has ended, and its address is free'],
    ['shop/young', 'FROM: pod shop/young has no address yet'],
    ['pod/wbe', 'FROM: there is no pod "default/wbe"; did you mean default/web?'],
    ['pod/elsewhere/something', 'FROM: there is no pod "elsewhere/something"; there are 5'],
    ['node/tow', 'FROM: there is no node "tow"; did you mean two?'],
    ['node/bare', 'FROM: node bare has no address in its status'],
  ])('%s is refused: %s', async (text, line) => {
    await expect(from(text)).rejects.toThrow(new Error(line))
  })

  test('a Service sends nothing', async () => {
    await expect(sourceOf({ is: 'service', name: 'cart' }, directory())).rejects.toThrow(
      'FROM: a Service sends nothing',
    )
  })
})

describe('TO', () => {
  test('a Service without a port means each of its ports, one with a number each protocol of it', async () => {
    expect(await ends('shop/cart')).toHaveLength(3)
    expect(await ends('shop/cart:53')).toEqual([
      'Service shop/cart, port dns 10.96.0.10 53/udp',
      'Service shop/cart, port dns-tcp 10.96.0.10 53/tcp',
    ])
    expect(await ends('shop/cart:53/udp')).toEqual(['Service shop/cart, port dns 10.96.0.10 53/udp'])
    expect(await ends('shop/cart:http')).toEqual(['Service shop/cart, port http 10.96.0.10 80/tcp'])
    expect(await ends('svc/plain')).toEqual(['Service default/plain 10.96.0.11 80/tcp'])
  })

  test('is of the family of FROM where that is known, and the first address otherwise', async () => {
    expect(await ends('shop/cart:http', 'ipv6')).toEqual(['Service shop/cart, port http fd00:96::10 80/tcp'])
    expect(await ends('node/one:30080', 'ipv6')).toEqual(['node one 2001:db8::1 30080/tcp'])
    expect(await ends('node:30080/udp')).toEqual(['node one 192.0.2.1 30080/udp'])
    expect(await ends('pod/web:80', 'ipv6')).toEqual(['pod default/web fd00:244::7 80/tcp'])
    expect(await ends('[fd00::1]:80', 'ipv4')).toEqual([' fd00::1 80/tcp'])
  })

  test.each<[string, Family | undefined, string]>([
    [
      'svc/plain',
      'ipv6',
      'TO:PORT: default/plain has no IPv6 cluster IP, and FROM is of that family; it has 10.96.0.11',
    ],
    ['node/two:80', 'ipv6', 'TO:PORT: node two has no IPv6 address'],
    ['node/bare:80', undefined, 'TO:PORT: node bare has no address'],
    ['node/tow:80', undefined, 'TO:PORT: there is no node "tow"; did you mean two?'],
    ['pod/shop/unplaced:80', 'ipv6', 'TO:PORT: pod shop/unplaced has no IPv6 address'],
    ['pod/old:80', undefined, 'TO:PORT: pod default/old has ended, and its address is free'],
    ['shop/crat', undefined, 'TO:PORT: there is no Service "shop/crat"; did you mean shop/cart?'],
    [
      'shop/cart:80/udp',
      undefined,
      'TO:PORT: shop/cart has no port "80/udp"; it has 80/tcp (http), 53/udp (dns), 53/tcp (dns-tcp)',
    ],
    [
      'svc/headless',
      undefined,
      'TO:PORT: default/headless is headless: DNS gives the addresses of its pods, and no rules lead there',
    ],
    [
      'svc/outside',
      undefined,
      'TO:PORT: default/outside is of type ExternalName: a name in DNS, and no rules lead there',
    ],
    ['pod/web:http', undefined, 'TO:PORT: port "http" must be a number: only Services have names for ports here'],
  ])('%s (%s) is refused: %s', async (text, family, line) => {
    await expect(to(text, family)).rejects.toThrow(new Error(line))
  })

  test.each(['10.96.0.10:0x50', '10.96.0.10:1e3', '10.96.0.10:-5', 'node/one:9e9', 'pod/web:80-'])(
    '%s has no port that is a number',
    async text => {
      await expect(to(text)).rejects.toThrow(/^TO:PORT: port ".+" must be a number/)
    },
  )

  test('an address in brackets without a port is said to have none', async () => {
    await expect(async () => to('[fd00::1]')).rejects.toThrow(/^TO:PORT: "\[fd00::1\]" has no port; it must be like /)
  })

  test('a pod by its name is refused where no pods are known', async () => {
    await expect(to('pod/web:80', undefined, { pods: async () => undefined })).rejects.toThrow(
      'TO:PORT: pod "default/web": no pods are known here; give its address instead',
    )
  })
})

test('a Service without ports has none to list', () => {
  expect(portList([])).toBe('none')
})
