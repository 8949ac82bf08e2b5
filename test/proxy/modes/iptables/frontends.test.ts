import { describe, expect, test } from 'vitest'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { frontendLines } from '#proxy/modes/iptables/frontends.ts'
import { serviceChains } from '#proxy/modes/iptables/names.ts'
import { cidr, ip } from '../../../support/objects.ts'
import { unitText } from '../../../support/units.ts'

const TRAFFIC = { id: 'a/b', protocol: 'tcp', frontends: [] } as unknown as ServiceTraffic
const CHAINS = serviceChains(TRAFFIC)

/** The chains that get lines, and the lines without what all have in common. */
function lines(frontend: Partial<Frontend>, more: Partial<ServiceTraffic> = {}, view: Partial<NodeView> = {}) {
  const whole: Frontend = {
    kind: 'cluster-ip',
    ip: ip('10.96.0.10'),
    port: 80,
    verdict: { to: 'gate' },
    admits: 'all',
    ...frontend,
  }
  const node = { family: 'ipv4', ...view } as NodeView
  const entries = frontendLines({ ...TRAFFIC, ...more, frontends: [whole] }, node, CHAINS)
  return entries.flatMap(({ unit, text }) => text.split('\n').map(line => `${unitText(unit).split(' ')[0]} ${line}`))
}

const match = (title: string) => `-p tcp -m comment --comment "a/b${title}" -m tcp --dport 80`

describe('a frontend leads', () => {
  test.each([
    ['to the pool of its verdict', { verdict: { to: 'pool', pool: 'local' } }, ` cluster IP`, CHAINS.local],
    ['through the gate', { kind: 'external-ip' }, ' external IP', CHAINS.external],
    [
      'through the firewall, where it has source ranges',
      { kind: 'load-balancer', sourceRanges: [] },
      ' loadbalancer IP',
      CHAINS.firewall,
    ],
  ] as const)('%s', (_, frontend, title, target) => {
    expect(lines(frontend as Partial<Frontend>)[0]).toBe(
      `nat -A KUBE-SERVICES -d 10.96.0.10/32 ${match(title)} -j ${target}`,
    )
  })

  test('from the chain of node ports, where it has no address', () => {
    const frontend = { kind: 'node-port', ip: undefined } as unknown as Partial<Frontend>
    expect(lines(frontend)).toEqual([`nat -A KUBE-NODEPORTS ${match('')} -j ${CHAINS.external}`])
  })

  test('from the last branch of a tree, where there are very many', () => {
    const all = lines({}, {}, { dispatch: 'tree' })
    expect(all.map(line => line.split(' ')[2]!.slice(0, 11))).toEqual([
      'KUBE-SERVIC',
      'KUBE-SVCS1-',
      'KUBE-SVCS2-',
      'KUBE-SVCS3-',
    ])
    expect(all.at(-1)).toContain(`-d 10.96.0.10/32 ${match(' cluster IP')}`)
  })
})

describe('clients are refused', () => {
  test('at once where there is no endpoint, and no rule leads on', () => {
    expect(lines({ verdict: { to: 'reject' }, admits: 'none' })).toEqual([
      'filter -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "a/b has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
    ])
  })

  test('without an answer where endpoints are elsewhere; those that are admitted are led on', () => {
    const all = lines({ kind: 'external-ip', admits: 'insiders' })
    expect(all).toHaveLength(2)
    expect(all[1]).toMatch(/^filter -A KUBE-EXTERNAL-SERVICES .*"a\/b has no local endpoints".* -j DROP$/)
    expect(lines({ verdict: { to: 'drop' }, admits: 'none' })).toHaveLength(1)
  })

  test('behind the firewall, which lets those of the source ranges through', () => {
    const all = lines({ kind: 'load-balancer', sourceRanges: [cidr('10.0.0.0/8')] })
    expect(all[1]).toBe(
      `filter -A KUBE-PROXY-FIREWALL -d 10.96.0.10/32 -p tcp -m comment --comment "a/b traffic not accepted by ${CHAINS.firewall}" -m tcp --dport 80 -j DROP`,
    )
  })
})

test('a health check port is let in, though no frontend has it', () => {
  const entries = frontendLines({ ...TRAFFIC, healthCheckPort: 31_234 }, { family: 'ipv4' } as NodeView, CHAINS)
  expect(entries.map(({ text }) => text)).toEqual([
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "a/b health check node port" -m tcp --dport 31234 -j ACCEPT',
  ])
})
