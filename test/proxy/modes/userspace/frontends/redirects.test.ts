import { describe, expect, test } from 'vitest'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { redirectsOf } from '#proxy/modes/userspace/frontends/redirects.ts'
import { cidr, ip } from '../../../../support/objects.ts'

// Which clients are redirected to which pool, on their way in and out of the node.

const CIDR = { by: 'cidr', cidr: cidr('10.244.0.0/16') } as const
const NODE_ITSELF = '-m addrtype --src-type LOCAL'

function redirects(
  gate: ServiceTraffic['gate'],
  frontend: Partial<Frontend> = {},
  localPods: NodeView['localPods'] = CIDR,
) {
  const whole: Frontend = { kind: 'load-balancer', port: 80, verdict: { to: 'gate' }, admits: 'all', ...frontend }
  const traffic = { ...(gate && { gate }) } as ServiceTraffic
  const { container, host } = redirectsOf(traffic, { localPods } as NodeView, whole)
  const words = (list: typeof container) =>
    list.map(({ pool, source, iface, match }) =>
      [pool, source, iface, match].filter(word => word !== undefined).join(' '),
    )
  return [words(container), words(host)]
}

const LOCAL = { policy: 'Local', others: 'local' } as const

test.each([
  ['the pool of its verdict', LOCAL, { verdict: { to: 'pool', pool: 'local' } }, [['local'], ['local']]],
  ['none where it is closed', LOCAL, { verdict: { to: 'drop' } }, [[], []]],
  ['none without a gate', undefined, {}, [[], []]],
  ['the cluster, with policy Cluster', { policy: 'Cluster' }, {}, [['cluster'], ['cluster']]],
] as const)('a frontend leads to %s', (_, gate, frontend, expected) => {
  expect(redirects(gate, frontend as Partial<Frontend>)).toEqual(expected)
})

describe('with policy Local', () => {
  test('pods and the node go to the cluster, and all others to local endpoints', () => {
    const [container, host] = redirects(LOCAL)
    expect(container).toEqual(['cluster 10.244.0.0/16', `cluster ${NODE_ITSELF}`, 'local'])
    expect(host).toEqual(['cluster'])
  })

  test('no others are led anywhere where no endpoint is here', () => {
    expect(redirects(LOCAL, { admits: 'insiders' })[0]).toEqual(['cluster 10.244.0.0/16', `cluster ${NODE_ITSELF}`])
  })

  test.each([
    ['by one interface', { by: 'interface', name: 'cni0' }, ['cluster cni0']],
    ['by the start of their names', { by: 'interface-prefix', prefix: 'veth' }, ['cluster veth+']],
    ['not at all', undefined, []],
  ] as const)('pods are known %s', (_, localPods, pods) => {
    const gate = LOCAL
    const whole = redirectsOf(
      { gate } as ServiceTraffic,
      { ...(localPods && { localPods }) } as NodeView,
      {
        ...{ kind: 'external-ip', port: 80, verdict: { to: 'gate' }, admits: 'all' },
      } as Frontend,
    )
    expect(whole.container.slice(0, -2).map(({ pool, iface }) => `${pool} ${iface}`)).toEqual(pods)
  })
})

describe('within source ranges', () => {
  test('each range is admitted, and the addresses of the load balancers', () => {
    const frontend = { sourceRanges: [cidr('10.0.0.0/8')], sourceAddresses: [ip('198.18.0.8')] }
    expect(redirects({ policy: 'Cluster' }, frontend)[0]).toEqual(['cluster 10.0.0.0/8', 'cluster 198.18.0.8/32'])
  })

  test('no client is admitted where there are none', () => {
    expect(redirects({ policy: 'Cluster' }, { sourceRanges: [] })).toEqual([[], []])
  })

  test.each([
    ['10.0.0.0/8', ['cluster 10.244.0.0/16']],
    ['10.244.1.0/24', ['cluster 10.244.1.0/24']],
    ['10.244.0.0/16', ['cluster 10.244.0.0/16']],
    ['192.0.2.0/24', []],
  ])('%s admits the pods that are in it: %s', (range, pods) => {
    const [container] = redirects(LOCAL, { sourceRanges: [cidr(range)] })
    expect(container!.slice(0, -2)).toEqual(pods)
    expect(container!.slice(-2)).toEqual([`cluster ${range} ${NODE_ITSELF}`, `local ${range}`])
  })
})
