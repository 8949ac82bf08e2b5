import type { PluginParts } from '#cni/plugins/plugin.ts'
import { portmap } from '#cni/plugins/portmap/portmap.ts'
import type { Attachment, CniCommand, CniRequest, JsonObject } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { type Lab, openLab } from '#lab/network/lab.ts'
import { namespacePath, settings } from '#lab/network/namespaces.ts'
import { BRIDGE } from '#lab/network/topology.ts'
import { must } from '#system/must.ts'
import { RulesetReader } from '#system/netlink/ruleset-reader.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import type { Kernel } from '#system/ports.ts'
import { parseAddress } from '#values/address.ts'

// A node with two pods on one bridge, where bridged packets pass no rules, and `portmap` called as a runtime would.

export interface PortmapStage {
  readonly lab: Lab
  readonly pods: readonly [Host, Host]
  readonly parts: PluginParts
  call(command: Exclude<CniCommand, 'VERSION'>, options?: CallOptions): Promise<unknown>
  /** Rules of the node in which a text stands, in either family. */
  rulesWith(text: string): Promise<readonly string[]>
  end(): Promise<void>
}

export interface CallOptions {
  readonly pod?: Host
  readonly ifname?: string
  readonly mappings?: readonly JsonObject[]
  readonly config?: JsonObject
  /** A second DEL has neither namespace nor previous result. */
  readonly without?: 'previous result'
  readonly valid?: readonly Attachment[]
}

/** `legacy` runs the programs of iptables-legacy under their plain names. */
export async function openPortmapStage(kernel: Kernel, variant: 'nft' | 'legacy' = 'nft'): Promise<PortmapStage> {
  const lab = await openLab(kernel, { podNetwork: 'bridged' })
  const pods = await lab.addPods([
    { name: 'one', ip4: '10.244.1.2', ip6: 'fd00:244:1::2' },
    { name: 'two', ip4: '10.244.1.3', ip6: 'fd00:244:1::3' },
  ])
  await must(lab.node.kernel, settings(0, ['bridge/bridge-nf-call-iptables', 'bridge/bridge-nf-call-ip6tables']))
  const node = variant === 'nft' ? lab.node.kernel : withLegacy(lab.node.kernel)
  const reader = variant === 'nft' ? RulesetReader.open(namespacePath(lab.node.namespace)) : undefined
  const real = netlinkNetworks()!
  const networks = { open: (path?: string) => real.open(path ?? namespacePath(lab.node.namespace)) }
  const parts = partsOf({ kernel: node, networks }, reader)
  return {
    lab,
    pods: [pods[0]!, pods[1]!],
    parts,
    async call(command, { pod = pods[0]!, ...options } = {}) {
      return portmap[CALLS[command]](requestOf(command, pod, options), parts)
    },
    async rulesWith(text) {
      const listings = await Promise.all(
        [['iptables-save'], ['ip6tables-save'], ['nft', 'list', 'ruleset']].map(([program, ...words]) =>
          node.run(anyCommand([program!, ...words])),
        ),
      )
      return listings.flatMap(({ stdout }) => stdout.split('\n')).filter(line => line.includes(text))
    },
    async end() {
      reader?.close()
      await lab.close()
    },
  }
}

const CALLS = { ADD: 'add', DEL: 'del', CHECK: 'check', STATUS: 'status', GC: 'gc' } as const

function withLegacy(kernel: Kernel): Kernel {
  return {
    run: command => {
      const [program, ...rest] = command.argv
      return kernel.run({ ...command, argv: [program.replace(/^(ip6?tables)/, '$1-legacy'), ...rest] })
    },
  }
}

function partsOf(machine: Pick<PluginParts, 'kernel' | 'networks'>, reader: RulesetReader | undefined): PluginParts {
  const none = (): never => {
    throw new Error('portmap has no need of this')
  }
  return {
    ...machine,
    clock: { now: () => 0, sleep: none },
    files: { read: none, namespaceId: none, bootId: none },
    delegates: { add: none, del: none, check: none, status: none, gc: none },
    leases: none,
    ...(reader !== undefined && {
      hasChain: at => reader.hasChain({ ...at, family: at.family === 'ipv4' ? 'ip' : 'ip6' }),
    }),
  }
}

function requestOf(command: CniCommand, pod: Host, options: Omit<CallOptions, 'pod'>): CniRequest {
  const { ifname = 'eth0', mappings, config = {}, valid, without } = options
  const prevResult = without === undefined && command !== 'GC' ? resultOf(pod) : undefined
  return {
    command,
    plugin: 'portmap',
    container: pod.name,
    ifname,
    netns: without === undefined ? namespacePath(pod.namespace) : undefined,
    args: new Map(),
    path: [],
    config: {
      cniVersion: '1.1.0',
      name: 'mynet',
      type: 'portmap',
      ipam: undefined,
      dns: {},
      prevResult,
      validAttachments: valid,
      raw: { ...config, ...(mappings !== undefined && { runtimeConfig: { portMappings: mappings } }) },
    },
  }
}

export function resultOf(pod: Host): CniResult {
  const [v4, v6] = [parseAddress(pod.ip4)!, parseAddress(pod.ip6)!]
  return {
    interfaces: [
      { name: 'cni0' },
      { name: pod.name === 'one' ? 'veth1' : 'veth2' },
      { name: 'eth0', sandbox: namespacePath(pod.namespace) },
    ],
    ips: [
      { address: v4, prefixLength: 24, gateway: parseAddress(BRIDGE.ip4)!, interface: 2 },
      { address: v6, prefixLength: 64, gateway: parseAddress(BRIDGE.ip6)!, interface: 2 },
    ],
    routes: [],
    dns: {},
  }
}
