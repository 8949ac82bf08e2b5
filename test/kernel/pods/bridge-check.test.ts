import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import type { Pod } from './bridge-pod.ts'
import { ensured } from './bridge-requirements.ts'
import { BridgeStage, DUAL_STACK } from './bridge-stage.ts'

// CHECK, right after an ADD and after each thing that can go wrong later.

const why = await ensured()

const ROUTES = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }, { dst: '10.99.0.0/16', mtu: 1300, priority: 7 }]
const EVERYTHING: JsonObject = {
  isGateway: true,
  ipMasq: true,
  hairpinMode: true,
  macspoofchk: true,
  portIsolation: true,
  ipam: { ...DUAL_STACK, routes: ROUTES },
}

describe.skipIf(why !== undefined)(`CHECK of a bridge${why ? ` (skipped: ${why})` : ''}`, () => {
  let stage: BridgeStage
  let pod: Pod

  beforeEach(async () => {
    stage = await BridgeStage.open()
    pod = await stage.addPod()
  })
  afterEach(() => stage.end())

  const check = (config: JsonObject, previous: CniResult) => stage.call('CHECK', pod, { config, previous })

  test.each<[string, JsonObject]>([
    ['with everything', EVERYTHING],
    ['with masquerade by nftables', { ...EVERYTHING, ipMasqBackend: 'nftables' }],
    ['without addresses', { hairpinMode: true }],
    ['with addresses alone', { ipam: DUAL_STACK }],
    ['in promiscuous mode', { promiscMode: true, isDefaultGateway: true, ipam: DUAL_STACK }],
  ])('finds nothing right after an ADD %s', async (_, config) => {
    const result = await stage.call('ADD', pod, { config })
    await check(config, result)
  })

  test('finds nothing where Debian’s plugin made it', async () => {
    const config = { ...EVERYTHING, macspoofchk: false, portIsolation: false, ipam: { ...DUAL_STACK, dataDir: '/tmp' } }
    const previous = (await stage.reference('ADD', pod, { config }))!
    await expect(check({ ...config, ipam: undefined, isGateway: true }, previous)).resolves.toBeUndefined()
  })

  interface Harm {
    readonly what: string
    readonly node?: string
    readonly pod?: string
    readonly says: RegExp
    readonly config?: JsonObject
  }
  const harms: readonly Harm[] = [
    { what: 'a bridge that is gone', node: 'ip link delete cni0', says: /bridge cni0 in host namespace was not found/ },
    { what: 'a bridge that is down', node: 'ip link set cni0 down', says: /Bridge interface cni0 is down/ },
    {
      what: 'another link in the place of the bridge',
      node: 'ip link delete cni0 && ip link add cni0 type veth peer name other',
      says: /cni0 does not have link type of bridge: it is veth/,
    },
    {
      what: 'another hardware address of the bridge',
      node: 'ip link set cni0 address 0a:00:00:00:00:77',
      says: /Bridge interface cni0 Mac .* doesn't match its current one: 0a:00:00:00:00:77/,
    },
    {
      what: 'a port that is down',
      node: 'ip link set PORT down',
      says: /CNI veth PORT, a port of bridge cni0, is down/,
    },
    { what: 'a port out of its bridge', node: 'ip link set PORT nomaster', says: /PORT is no port of bridge cni0/ },
    { what: 'hairpin off', node: 'bridge link set dev PORT hairpin off', says: /port PORT: hairpin is off/ },
    { what: 'isolation off', node: 'bridge link set dev PORT isolated off', says: /port PORT: port isolation is off/ },
    {
      what: 'an IPv4 gateway that is gone',
      node: 'ip address delete 10.66.0.1/24 dev cni0',
      says: /gateway address 10\.66\.0\.1\/24 is not on "cni0"/,
    },
    {
      what: 'an IPv6 gateway that is gone',
      node: 'ip address delete fd00:66::1/64 dev cni0',
      says: /gateway address fd00:66::1\/64 is not on "cni0"/,
    },
    { what: 'forwarding off', node: 'sysctl -qw net.ipv4.ip_forward=0', says: /forwarding of ipv4 is off/ },
    {
      what: 'IPv6 forwarding off',
      node: 'sysctl -qw net.ipv6.conf.all.forwarding=0',
      says: /forwarding of ipv6 is off/,
    },
    { what: 'flushed rules', node: 'iptables -t nat -F', says: /masquerade \(ipMasq\) of 10\.66\.0\.2 is missing/ },
    { what: 'flushed IPv6 rules', node: 'ip6tables -t nat -F', says: /\(ipMasq\) of fd00:66::2 is missing/ },
    {
      what: 'a flushed chain of the pod',
      node: "iptables -t nat -F $(iptables -t nat -S | sed -n 's/^-N \\(CNI-.*\\)/\\1/p')",
      says: /masquerade \(ipMasq\) of 10\.66\.0\.2 is missing/,
    },
    {
      what: 'a flushed ruleset',
      node: 'nft flush ruleset',
      says: /masquerade \(ipMasq\) of 10\.66\.0\.2, fd00:66::2 is missing/,
      config: { ipMasqBackend: 'nftables' },
    },
    {
      what: 'a flushed chain of nftables',
      node: 'nft flush chain ip switchyard_masquerade postrouting',
      says: /masquerade \(ipMasq\) of 10\.66\.0\.2 is missing/,
      config: { ipMasqBackend: 'nftables' },
    },
    { what: 'no rules against spoofing', node: 'nft flush ruleset bridge', says: /macspoofchk\) of PORT are missing/ },
    { what: 'an interface that is gone', pod: 'ip link delete eth0', says: /Interface name eth0 not found/ },
    { what: 'an interface that is down', pod: 'ip link set eth0 down', says: /Container interface eth0 is down/ },
    {
      what: 'another hardware address of the interface',
      pod: 'ip link set eth0 address 0a:00:00:00:00:78',
      says: /Interface eth0 Mac .* doesn't match its current one: 0a:00:00:00:00:78/,
    },
    {
      what: 'an address that is gone',
      pod: 'ip address delete fd00:66::2/64 dev eth0',
      says: /Failed to match addr fd00:66::2\/64 on interface eth0/,
    },
    { what: 'a default route that is gone', pod: 'ip route delete default', says: /Expected Route 0\.0\.0\.0\/0 via/ },
    {
      what: 'an IPv6 default route that is gone',
      pod: 'ip -6 route delete default',
      says: /Expected Route ::\/0 via fd00:66::1/,
    },
    {
      what: 'a route that is another',
      pod: 'ip route change 10.99.0.0/16 via 10.66.0.1 dev eth0 metric 7 mtu 1200',
      says: /Expected Route 10\.99\.0\.0\/16/,
    },
  ]

  test.each(harms)('finds $what', async harm => {
    const config = { ...EVERYTHING, ...harm.config }
    const result = await stage.call('ADD', pod, { config })
    const port = result.interfaces[1]!.name
    const named = (text: string): string => text.replaceAll('PORT', port)
    if (harm.node !== undefined) await stage.run('sh', '-c', named(harm.node))
    if (harm.pod !== undefined) await pod.run('sh', '-c', named(harm.pod))
    await expect(check(config, result)).rejects.toThrow(new RegExp(named(harm.says.source)))
  })

  test('finds an address that the node no longer has for the pod', async () => {
    const config = { isGateway: true, ipam: DUAL_STACK }
    const result = await stage.call('ADD', pod, { config })
    await stage.parts.delegates.del('host-local', stage.request('DEL', pod, { config }))
    await expect(check(config, result)).rejects.toThrow(/Failed to find address/)
  })

  test('says what is missing where there is no result of an ADD', async () => {
    const config = {}
    await stage.call('ADD', pod, { config })
    await expect(stage.call('CHECK', pod, { config })).rejects.toThrow('Required prevResult missing')
  })
})
