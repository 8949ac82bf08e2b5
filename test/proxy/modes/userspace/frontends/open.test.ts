import { describe, expect, test } from 'vitest'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { ChainLines } from '#proxy/modes/netfilter/chain-lines.ts'
import { type OpenFrontendParts, openFrontend } from '#proxy/modes/userspace/frontends/open.ts'
import { ip } from '../../../../support/objects.ts'

const CLUSTER_IP: Frontend = {
  kind: 'cluster-ip',
  ip: ip('10.96.0.10'),
  port: 80,
  verdict: { to: 'pool', pool: 'cluster' },
  admits: 'all',
}
const NODE_PORT: Frontend = { kind: 'node-port', port: 30080, verdict: { to: 'gate' }, admits: 'all' }

interface Given {
  readonly traffic?: Partial<ServiceTraffic>
  readonly node?: Partial<NodeView>
  readonly listenOn?: OpenFrontendParts['listenOn']
}

function lines(frontend: Frontend, { traffic, node, listenOn }: Given = {}): readonly string[] {
  const all = new ChainLines()
  const whole = { id: 'a/b', protocol: 'tcp', gate: { policy: 'Local', others: 'local' }, ...traffic } as ServiceTraffic
  openFrontend({ traffic: whole, node: { family: 'ipv4', ...node } as NodeView, listenOn, lines: all }, frontend)
  return all.entries.flatMap(({ text }) => text.split('\n'))
}

const ends = (all: readonly string[]) => all.map(line => line.slice(line.indexOf(' -j ') + 1))
const NODE_IP = { nodeIP: ip('10.99.0.2') }

describe('clients of a cluster IP', () => {
  const match = '-d 10.96.0.10/32 -p tcp -m comment --comment "a/b" -m tcp --dport 80'
  test('are redirected on their way in, and those of the node on their way out', () => {
    expect(lines(CLUSTER_IP)).toEqual([
      `-A KUBE-PORTALS-CONTAINER ${match} -j REDIRECT --to-ports {tcp a/b}`,
      `-A KUBE-PORTALS-HOST ${match} -j REDIRECT --to-ports {tcp a/b}`,
    ])
  })

  test('of the node go to its own address, where that is known: loopback would not lead back', () => {
    expect(ends(lines(CLUSTER_IP, { node: NODE_IP }))).toEqual([
      '-j REDIRECT --to-ports {tcp a/b}',
      '-j DNAT --to-destination 10.99.0.2:{tcp a/b}',
    ])
  })

  test('go to the one address at which the relay listens', () => {
    expect(new Set(ends(lines(CLUSTER_IP, { listenOn: ip('fd00::5') })))).toEqual(
      new Set(['-j DNAT --to-destination [fd00::5]:{tcp a/b}']),
    )
  })

  test('find their rule through a tree, where there are very many', () => {
    const all = lines(CLUSTER_IP, { node: { dispatch: 'tree' } })
    expect(all.filter(line => line.includes('REDIRECT')).map(line => line.slice(0, 13))).toEqual(
      ['-A KUBE-PC3-A', '-A KUBE-PH3-A'].map(start => expect.stringMatching(start.slice(0, 12))),
    )
    expect(all).toHaveLength(8)
  })
})

describe('clients of a node port', () => {
  test('are led to each pool, and accepted at its proxy port', () => {
    const all = lines(NODE_PORT, { node: { localPods: { by: 'interface', name: 'cni0' } } })
    expect(
      all
        .filter(line => line.startsWith('-A KUBE-NODEPORT-CONTAINER'))
        .map(line => line.split('--comment ')[1]!.split(' -m tcp')[0]),
    ).toEqual(['"a/b"', '"a/b"', '"a/b local endpoints"'])
    expect(all.filter(line => line.startsWith('-A KUBE-NODEPORT-NON-LOCAL'))).toEqual([
      '-A KUBE-NODEPORT-NON-LOCAL -p tcp -m comment --comment "a/b" -m tcp --dport {tcp a/b} -m state --state NEW -j ACCEPT',
      '-A KUBE-NODEPORT-NON-LOCAL -p tcp -m comment --comment "a/b local endpoints" -m tcp --dport {tcp a/b local} -m state --state NEW -j ACCEPT',
    ])
  })

  test('of a closed one are led nowhere', () => {
    expect(lines({ ...NODE_PORT, verdict: { to: 'reject' }, admits: 'none' })).toEqual([])
  })
})
