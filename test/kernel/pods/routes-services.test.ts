import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensured } from './bridge-requirements.ts'
import { type ClusterNode, type ClusterPod, ClusterStage, OUTSIDE } from './routes-stage.ts'

// Five nodes, each with the daemon and with pods, and Services on some of them: every pod reaches every other, by its address and
// through Services of both families, and each node masquerades once.

const why = await ensured()
const MODES = ['nftables', 'iptables'] as const

function poll(ask: () => unknown) {
  return expect.poll(ask, { interval: 50, timeout: 30_000 })
}

describe.skipIf(why !== undefined)(`five nodes${why ? ` (skipped: ${why})` : ''}`, { timeout: 240_000 }, () => {
  let stage: ClusterStage
  const nodes: ClusterNode[] = []
  const pods: ClusterPod[] = []

  beforeAll(async () => {
    stage = await ClusterStage.open()
    for (const number of [1, 2, 3, 4, 5])
      nodes.push(await stage.addNode(number, '--cluster-cidr=10.244.0.0/16,fd00:244::/32', masqueradeOf(number)))
    for (const node of nodes) pods.push(await stage.addPod(node))
    const [, , third] = pods
    putService(stage, 'ipv4', '10.96.0.10', third!.ip4)
    putService(stage, 'ipv6', 'fd00:96::10', third!.ip6)
    for (const [i, mode] of MODES.entries())
      await stage.startProxy(nodes[i]!, `--proxy-mode=${mode}`, '--cluster-cidr=10.244.0.0/16,fd00:244::/32')
  }, 180_000)
  afterAll(() => stage?.end())

  test('every pod reaches every pod, with its own address', async () => {
    for (const node of nodes) await poll(() => stage.routesOf(node)).toHaveLength(8)
    for (const from of pods)
      for (const to of pods.filter(pod => pod !== from))
        for (const end of ['ip4', 'ip6'] as const)
          await poll(() => `${from.name} ${to.name} ${stage.seenOf(from, to[end])}`).toBe(
            `${from.name} ${to.name} ${from[end]}`,
          )
  })

  test.each(MODES)('through a Service, a pod of another node sees the pod itself: %s', async mode => {
    const from = pods[MODES.indexOf(mode)]!
    await poll(() => stage.seenOf(from, '10.96.0.10', 8080)).toBe(from.ip4)
    await poll(() => stage.seenOf(from, 'fd00:96::10', 8080)).toBe(from.ip6)
  })

  test.each(MODES)('a node itself reaches a pod of another through a Service: %s', async mode => {
    const node = nodes[MODES.indexOf(mode)]!
    await poll(() => stage.seenOfNode(node, '10.96.0.10', 8080)).toBe(`192.0.2.${node.number}`)
  })

  test.each([
    ['nftables', 1],
    ['iptables', 2],
  ] as const)('what leaves the cluster is masqueraded by %s, once for the node', async (program, number) => {
    const [node, pod] = [nodes[number - 1]!, pods[number - 1]!]
    await poll(() => stage.seenOf(pod, OUTSIDE.ipv4)).toBe(`192.0.2.${number}`)
    await poll(() => stage.seenOf(pod, OUTSIDE.ipv6)).toBe(`2001:db8::${number}`)
    const [rules, ruleset] = [node.node.run('iptables-save', '-t', 'nat'), node.node.run('nft', 'list', 'ruleset')]
    const [chain, table] = [/^:SWITCHYARD-OUTBOUND/m.test(rules), ruleset.includes('switchyard_outbound')]
    expect([chain, table]).toEqual(program === 'iptables' ? [true, false] : [false, true])
    // Nothing of it is a pod's.
    const before = node.node.run('nft', 'list', 'ruleset').match(/masquerade/g)!.length
    await stage.addPod(node)
    expect(node.node.run('nft', 'list', 'ruleset').match(/masquerade/g)!.length).toBe(before)
  })

  test('a daemon that starts with --routes=off takes away what the one before has laid', async () => {
    const fourth = nodes[3]!
    fourth.daemon.kill('SIGTERM')
    await fourth.daemon.ended
    const { flags } = fourth.node
    fourth.node.flags = [...flags, '--routes=off']
    fourth.daemon = await fourth.node.startDaemon()
    await poll(() => stage.routesOf(fourth)).toEqual([])
    await poll(() => fourth.node.run('nft', 'list', 'ruleset')).not.toContain('switchyard_outbound')
    fourth.node.flags = flags
  })

  test('cni uninstall leaves nothing of it, and what others have made', async () => {
    const last = nodes.at(-1)!
    last.daemon.kill('SIGTERM')
    await last.daemon.ended
    expect(stage.routesOf(last)).toHaveLength(8)
    const said = stage.switchyard(last, 'cni', 'uninstall', '--bin-dir=/run/no-such-folder')
    expect(said).toContain('Removed 8 routes to other nodes.')
    expect(stage.routesOf(last)).toEqual([])
    expect(last.node.run('nft', 'list', 'ruleset')).not.toContain('switchyard_outbound')
    expect(last.node.run('ip', 'route', 'show', 'default')).toContain(`via ${OUTSIDE.ipv4}`)
  })
})

function masqueradeOf(number: number): string {
  return `--ip-masq=${number === 2 ? 'iptables' : 'auto'}`
}

function putService(stage: ClusterStage, family: 'ipv4' | 'ipv6', clusterIP: string, endpoint: string): void {
  const name = `shop-${family}`
  stage.put({
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default', uid: name } },
    spec: {
      ...{ type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], ipFamilies: [family === 'ipv4' ? 'IPv4' : 'IPv6'] },
      ports: [{ name: 'http', port: 8080, targetPort: 80, protocol: 'TCP' }],
    },
  })
  stage.put({
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
    metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: family === 'ipv4' ? 'IPv4' : 'IPv6',
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    endpoints: [{ addresses: [endpoint], conditions: { ready: true }, nodeName: 'node-3' }],
  })
}
