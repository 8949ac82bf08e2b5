import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { needsOf } from '#proxy/agent/fit-mode.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { readHostNetwork } from '#proxy/node/host-network.ts'
import { nodeReader } from '#proxy/node/node-view.ts'
import { serviceRanges } from '#proxy/node/service-ranges.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import { cidr, ip, name } from '../../support/objects.ts'

// Ranges of Services, and the routes and addresses of a node → the parts of them that exist as networks or hosts.

const RANGES = ['10.96.0.0/12', 'fd10:96::/108'].map(cidr)

function rangesWith(routes: readonly string[], addresses: readonly string[] = []): ReturnType<typeof serviceRanges> {
  return serviceRanges({ family: 'ipv4', ranges: RANGES, routes: routes.map(cidr), addresses: addresses.map(ip) })
}

describe('reachable is', () => {
  test('what a route into a part of a range leads to', () => {
    expect(rangesWith(['0.0.0.0/0', '10.99.0.0/24', '10.244.0.0/16', '10.97.0.1/32'])).toEqual({
      serviceRanges: ['10.96.0.0/12'],
      reachable: ['10.97.0.1/32', '10.99.0.0/24'],
    })
  })

  test('an address of the node, where no route covers it already', () => {
    expect(rangesWith(['10.99.0.0/24'], ['10.99.0.2', '10.100.0.1', '192.0.2.1']).reachable).toEqual([
      '10.100.0.1/32',
      '10.99.0.0/24',
    ])
  })

  test('not what a route to the whole range, or to more, leads to', () => {
    expect(rangesWith(['10.96.0.0/12', '10.0.0.0/8']).reachable).toEqual([])
  })
})

test('without a range of the family nothing is said of any address', () => {
  expect(serviceRanges({ family: 'ipv6', ranges: RANGES.slice(0, 1), routes: [], addresses: [] })).toEqual({})
})

const ROUTES = {
  '-4': [
    { dst: 'default', gateway: '10.99.0.1', dev: 'eth0' },
    { dst: '10.99.0.0/24', dev: 'eth0', protocol: 'kernel' },
    { dst: '10.98.0.7', dev: 'cali1' },
    { type: 'blackhole', dst: '10.97.0.0/24', protocol: 'bird' },
    { dst: '10.96.0.10', dev: 'kube-ipvs0' },
  ],
  '-6': [{ dst: 'fd10:96::40/122', dev: 'eth0' }],
}

const kernel = {
  run: async ({ argv }: { readonly argv: readonly string[] }) => {
    const family = argv.includes('route') && argv.find(word => word in ROUTES)
    const stdout = family ? JSON.stringify(ROUTES[family as keyof typeof ROUTES]) : '[]'
    return { code: 0, stdout, stderr: '' }
  },
}

async function viewIn(mode: string, family: Family) {
  const parsed = await parseArguments('run', [`--proxy-mode=${mode}`], () => Promise.reject())
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  const { settings } = parsed
  const host = await readHostNetwork(kernel, needsOf(settings))
  const cluster = new Cluster()
  cluster.apply({ type: 'put', object: { kind: 'ServiceCIDR', name: name('kubernetes'), cidrs: RANGES } })
  return nodeReader({ settings, family, nodeName: 'here', hostNetwork: () => host })(cluster, 0, needsOf(settings)).view
}

test('in nftables mode the node sees ranges and routes, holes and its ipvs device left out', async () => {
  const views = await Promise.all(FAMILIES.map(family => viewIn('nftables', family)))
  expect(views).toMatchObject([
    { serviceRanges: ['10.96.0.0/12'], reachable: ['10.98.0.7/32', '10.99.0.0/24'] },
    { serviceRanges: ['fd10:96::/108'], reachable: ['fd10:96::40/122'] },
  ])
})

test('in iptables mode it reads neither', async () => {
  expect(await viewIn('iptables', 'ipv4')).not.toHaveProperty('serviceRanges')
  expect(await readHostNetwork(kernel, {})).not.toHaveProperty('routes')
})
