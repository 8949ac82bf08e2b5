import { readFileSync } from 'node:fs'
import { canonicalChains } from 'iptables-parser'
import { expect, test } from 'vitest'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import { isOurChain } from '#proxy/modes/userspace/names.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { endpoint, ip, port, service, slice, slicePort } from '../../../support/objects.ts'
import { textsOf } from '../../../support/units.ts'
import { userspaceIn } from './tools.ts'

// The cluster that kube-proxy 1.20 wrote fixtures/saves/userspace-1.20.save for → the same lines, but for intended
// differences.

const SAVE = readFileSync(new URL('../../../../fixtures/saves/userspace-1.20.save', import.meta.url), 'utf8')

const VIEW: NodeView = {
  family: 'ipv4',
  mark: 0x4000,
  nodePortAddresses: 'all',
  localhostNodePorts: false,
  masquerade: 'from-outside',
  dropInvalid: true,
  endpointComments: true,
  nodeIP: ip('172.30.9.2'),
}

function linesOfOurs(): readonly string[] {
  const cluster = new Cluster()
  const web = slicePort(8080, 'http')
  const dns = slicePort(5353, 'dns', 'udp')
  for (const object of [
    service('default/ds', ['10.100.0.13'], { ports: [port({ port: 81 })] }),
    slice('default/ds', 'default/ds', [endpoint('10.244.1.2')], { ports: [slicePort(8080)] }),
    service('default/empty', ['10.100.0.12'], { ports: [port({ port: 7000, nodePort: 30070 })] }),
    service('default/kubernetes', ['10.96.0.1'], { ports: [port({ name: 'https', port: 443 })] }),
    slice('default/kubernetes', 'default/kubernetes', [endpoint('10.99.0.1')], { ports: [slicePort(16443, 'https')] }),
    service('default/lb', ['10.100.0.10'], {
      type: 'LoadBalancer',
      ports: [
        port({ name: 'http', port: 80, nodePort: 30080 }),
        port({ name: 'dns', port: 53, protocol: 'udp', nodePort: 30053 }),
      ],
      externalIPs: [ip('198.18.0.7')],
      loadBalancerIPs: [ip('198.18.0.8')],
    }),
    slice('default/lb', 'default/lb', [endpoint('10.244.1.2'), endpoint('10.244.1.3')], { ports: [web, dns] }),
    service('default/np', ['10.100.0.11'], { ports: [port({ port: 9000, nodePort: 30090 })] }),
    slice('default/np', 'default/np', [endpoint('10.244.2.10')], { ports: [slicePort(9000)] }),
    service('default/db-service', ['10.103.132.104'], { ports: [port({ name: '3306', port: 3306 })] }),
    slice('default/db', 'default/db-service', [endpoint('10.244.1.2')], { ports: [slicePort(3306, '3306')] }),
  ]) {
    cluster.apply({ type: 'put', object })
  }
  const thisNode = { family: 'ipv4', nodeName: 'here', masquerade: 'never' } as const
  const draft = new Draft(cluster, userspaceIn('ipv4'), () => ({ thisNode, view: VIEW, addresses: [] }))
  draft.update()
  return [...textsOf(draft.book.rules)].flatMap(([unit, text]) => {
    const table = unit.slice(0, unit.indexOf(' '))
    if (table === 'listen') return []
    return (text === '' ? [unit.slice(table.length + 1)] : text.split('\n')).map(line => `${table} ${line}`)
  })
}

/** Chains, jumps into them and rules of the sample, each proxy port by the name of the service port it belongs to. */
function linesOfSample(): readonly string[] {
  const names = new Map(
    [...SAVE.matchAll(/-p (\w+) -m comment --comment "([^"]+)" .*--to-ports (\d+)/g)].map(([, protocol, id, port]) => [
      port!,
      `{${protocol} ${id}}`,
    ]),
  )
  const named = (line: string): string =>
    line.replace(/(--to-ports |--to-destination \S+:|--dport )(\d+)(?= -m state|$)/, (all, before, port) =>
      names.has(port) ? `${before}${names.get(port)}` : all,
    )
  return [...canonicalChains(SAVE)].flatMap(([table, chains]) =>
    [...chains].flatMap(([chain, text]) => {
      const lines = text === '' ? [] : text.split('\n')
      const ours = (table === 'nat' || table === 'filter') && isOurChain(table, chain)
      return lines
        .filter(line => ours || /KUBE-(?:PORTALS|NODEPORT)-/.test(line))
        .map(line => `${table} ${named(line)}`)
    }),
  )
}

test('what kube-proxy 1.20 wrote is what we write, line for line, but for what is meant to differ', () => {
  const sample = linesOfSample()
  const ours = linesOfOurs().filter(line => line.includes(' -A '))
  const missing = sample.filter(line => !ours.includes(line))
  const extra = ours.filter(line => !sample.includes(line))
  const noEndpoints = (line: string): boolean => line.includes('"default/empty')
  const externalIP = (line: string): boolean => line.includes('-d 198.18.0.7/32')
  const closed = (line: string): boolean => /KUBE-(?:PORTALS|EXTERNAL)-CLOSED/.test(line)

  // kube-proxy accepts clients where there are no endpoints; here they are refused instead.
  expect(missing.filter(noEndpoints)).toHaveLength(5)
  expect(extra.filter(noEndpoints)).toEqual([
    'filter -A KUBE-PORTALS-CLOSED -d 10.100.0.12/32 -p tcp -m comment --comment "default/empty has no endpoints" -m tcp --dport 7000 -j REJECT --reject-with icmp-port-unreachable',
    'filter -A KUBE-EXTERNAL-CLOSED -p tcp -m comment --comment "default/empty has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30070 -j REJECT --reject-with icmp-port-unreachable',
  ])
  // External IPs answer every client, as in every other mode; kube-proxy 1.20 excludes clients behind a bridge.
  expect(missing.filter(externalIP)).toHaveLength(6)
  expect(extra.filter(externalIP)).toEqual(
    [
      'CONTAINER -d 198.18.0.7/32 -p udp -m comment --comment "default/lb:dns" -m udp --dport 53 -j REDIRECT --to-ports {udp default/lb:dns}',
      'CONTAINER -d 198.18.0.7/32 -p tcp -m comment --comment "default/lb:http" -m tcp --dport 80 -j REDIRECT --to-ports {tcp default/lb:http}',
      'HOST -d 198.18.0.7/32 -p udp -m comment --comment "default/lb:dns" -m udp --dport 53 -j DNAT --to-destination 172.30.9.2:{udp default/lb:dns}',
      'HOST -d 198.18.0.7/32 -p tcp -m comment --comment "default/lb:http" -m tcp --dport 80 -j DNAT --to-destination 172.30.9.2:{tcp default/lb:http}',
    ].map(line => `nat -A KUBE-PORTALS-${line}`),
  )
  const rest = (lines: readonly string[]): readonly string[] =>
    lines.filter(line => !noEndpoints(line) && !externalIP(line) && !closed(line))
  expect(rest(missing)).toEqual([])
  expect(rest(extra)).toEqual([])
})
