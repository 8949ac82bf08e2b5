import { rmSync } from 'node:fs'
import { joinedRules } from '#cni/network/joined-rules.ts'
import { commandNetworks } from '#cni/network/networks.ts'
import { bridge } from '#cni/plugins/bridge/bridge.ts'
import { hostLocal } from '#cni/plugins/host-local/host-local.ts'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import { ConfigFields } from '#cni/protocol/config-fields.ts'
import { printedResult } from '#cni/protocol/print.ts'
import type { Attachment, CniCommand, CniRequest, JsonObject } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { decodeResult } from '#cni/protocol/shapes/decode-result.ts'
import type { CniVersion } from '#cni/protocol/versions.ts'
import { anyCommand } from '#lab/any-command.ts'
import { Host } from '#lab/network/host.ts'
import { inNamespace, ipLines, namespacePath } from '#lab/network/namespaces.ts'
import { PaperLeaseBook } from '#lab/paper/lease-book.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { RulesetReader } from '#system/netlink/ruleset-reader.ts'
import { RulesetWriter } from '#system/netlink/ruleset-writer.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import type { NamespaceNetwork, Networks } from '#system/network/network.ts'
import type { Kernel } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { FAMILIES } from '#values/address.ts'
import { requestOf } from '../../cni/requests.ts'
import { type Namespace, newNamespace } from '../namespace.ts'
import { delegatesTo, withLegacy } from './bridge-parts.ts'
import { Pod } from './bridge-pod.ts'

// A node of its own with pods, and `bridge` called as a runtime would, ours or the one that Debian ships.

/** `legacy`: iptables means iptables-legacy. `commands`: this process has no FFI, and asks for networks by `ip`. */
export type StageVariant = 'nft' | 'legacy' | 'commands'

export type PluginCommand = Exclude<CniCommand, 'VERSION'>

export interface CallOptions {
  readonly config?: JsonObject
  readonly container?: string
  readonly ifname?: string
  /** CNI_ARGS */
  readonly args?: string
  /** The result of the ADD before, where that is to be given. */
  readonly previous?: CniResult
  /** As for a second DEL. */
  readonly without?: 'namespace'
  readonly valid?: readonly Attachment[]
}

export const DUAL_STACK: JsonObject = {
  type: 'host-local',
  ranges: [[{ subnet: '10.66.0.0/24' }], [{ subnet: 'fd00:66::/64' }]],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
}

export class BridgeStage {
  readonly node: Namespace
  readonly #networks: Networks
  readonly #reader: RulesetReader | undefined
  readonly #writer: RulesetWriter | undefined
  readonly #pods: Pod[] = []
  readonly #others: Namespace[] = []
  readonly #hosts: Host[] = []
  readonly #book: PaperLeaseBook
  /** Wrapped by tests that let a change fail. */
  parts: PluginParts

  private constructor(node: Namespace, variant: StageVariant) {
    this.node = node
    const real = netlinkNetworks()!
    this.#networks = { open: path => real.open(path ?? namespacePath(node.name)) }
    this.#book = new PaperLeaseBook({ clock: systemClock, boot: 'boot' })
    this.#reader = RulesetReader.open(namespacePath(node.name))
    this.#writer = RulesetWriter.open(namespacePath(node.name))
    const kernel = inNamespace(hostKernel(), node.name)
    const tools = variant === 'legacy' ? withLegacy(kernel) : kernel
    this.parts = this.#partsOn(joinedRules(tools, systemClock), variant)
  }

  static async open(variant: StageVariant = 'nft'): Promise<BridgeStage> {
    const stage = new BridgeStage(await newNamespace('bridge-node'), variant)
    await stage.run('ip', 'link', 'set', 'lo', 'up')
    return stage
  }

  async addPod(): Promise<Pod> {
    const pod = new Pod(await newNamespace('bridge-pod'))
    this.#pods.push(pod)
    return pod
  }

  async call(command: 'ADD', pod: Pod, options?: CallOptions): Promise<CniResult>
  async call(command: PluginCommand, pod: Pod, options?: CallOptions): Promise<CniResult | undefined>
  async call(command: PluginCommand, pod: Pod, options: CallOptions = {}): Promise<CniResult | undefined> {
    const request = this.request(command, pod, options)
    return (await bridge[METHODS[command]](request, this.parts)) ?? undefined
  }

  request(command: PluginCommand, pod: Pod, options: CallOptions = {}): CniRequest {
    const { config = {}, container = pod.container, ifname = 'eth0', args = '', previous, without, valid } = options
    return requestOf({
      command,
      env: {
        CNI_CONTAINERID: container,
        CNI_NETNS: without === 'namespace' ? '' : pod.path,
        CNI_IFNAME: ifname,
        CNI_ARGS: args,
      },
      config: {
        ...config,
        ...(previous !== undefined && {
          prevResult: JSON.parse(printedResult(previous, (config.cniVersion ?? '1.1.0') as CniVersion)),
        }),
        ...(valid !== undefined && {
          'cni.dev/valid-attachments': valid.map(one => ({ containerID: one.container, ifname: one.ifname })),
        }),
      },
    })
  }

  /** Debian's plugin, in the same node. */
  async reference(command: PluginCommand, pod: Pod, options: CallOptions = {}): Promise<CniResult | undefined> {
    const { container = pod.container, ifname = 'eth0', args = '' } = options
    const config: JsonObject = { cniVersion: '1.0.0', ...options.config }
    const ipam = config.ipam === undefined ? undefined : { ...(config.ipam as JsonObject), dataDir: this.#folder }
    const request = this.request(command, pod, {
      ...options,
      config: { ...config, ...(ipam !== undefined && { ipam }) },
    })
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: container,
      CNI_NETNS: options.without === 'namespace' ? '' : pod.path,
      CNI_IFNAME: ifname,
      CNI_ARGS: args,
      CNI_PATH: REFERENCE_PATH,
    }
    const input = JSON.stringify(request.config.raw)
    const outcome = await inNamespace(hostKernel(), this.node.name).run(
      anyCommand([`${REFERENCE_PATH}/bridge`], { env, input }),
    )
    if (outcome.code !== 0) throw new Error(`the reference's ${command}: ${outcome.stdout}${outcome.stderr}`)
    return outcome.stdout === '' ? undefined : decodeResult(new ConfigFields(JSON.parse(outcome.stdout)))
  }

  /** A host that the node reaches by a link of its own, and that knows no way back to the pods. */
  async addOutside(): Promise<Host> {
    const outside = await newNamespace('bridge-out')
    this.#others.push(outside)
    await this.run('ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside.name)
    const ours = [
      'address add 203.0.113.1/24 dev uplink',
      'address add 2001:db8::1/64 dev uplink nodad',
      'link set uplink up',
    ]
    const theirs = [
      `address add ${OUTSIDE.ip4}/24 dev eth0`,
      `address add ${OUTSIDE.ip6}/64 dev eth0 nodad`,
      'link set eth0 up',
    ]
    await must(this.node.kernel, ipLines(ours))
    await must(outside.kernel, ipLines(theirs))
    const host = new Host(hostKernel(), { ...OUTSIDE, name: 'outside', namespace: outside.name, families: FAMILIES })
    this.#hosts.push(host)
    return host
  }

  network(): Promise<NamespaceNetwork> {
    return this.#networks.open()
  }

  async run(...argv: readonly [string, ...string[]]): Promise<string> {
    return (await must(this.node.kernel, anyCommand(argv))).stdout
  }

  /** Rules of the node, of every family and kind, in which a text stands. */
  async rulesWith(text: string): Promise<readonly string[]> {
    const programs = ['iptables-save', 'ip6tables-save', 'iptables-legacy-save', 'ip6tables-legacy-save']
    const listings = await Promise.all(
      [...programs.map(program => [program] as const), ['nft', 'list', 'ruleset'] as const].map(argv =>
        this.node.kernel.run(anyCommand(argv)),
      ),
    )
    return listings.flatMap(({ stdout }) => stdout.split('\n')).filter(line => line.includes(text))
  }

  /** Addresses that are given. */
  async leased(): Promise<readonly string[]> {
    const held = await Promise.all(
      this.#pods.flatMap(({ container }) =>
        ['eth0', 'net1'].map(ifname => this.#book.held({ network: 'net1', container, ifname })),
      ),
    )
    return held.flat().map(({ address }) => address)
  }

  async end(): Promise<void> {
    this.#reader?.close()
    this.#writer?.close()
    for (const host of this.#hosts) await host.stop()
    for (const pod of this.#pods) await pod.end()
    for (const other of this.#others) await other.end()
    await this.node.end()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #folder(): string {
    return `/tmp/${this.node.name}`
  }

  #partsOn(kernel: Kernel, variant: StageVariant): PluginParts {
    return {
      networks: variant === 'commands' ? commandNetworks(kernel) : this.#networks,
      kernel,
      clock: systemClock,
      files: { read: async () => undefined, namespaceId: async path => path, bootId: async () => 'boot' },
      delegates: delegatesTo({ 'host-local': hostLocal }, () => this.parts),
      leases: async () => this.#book,
      ...(variant !== 'commands' && this.#rulesetParts(variant)),
    }
  }

  #rulesetParts(variant: StageVariant): Pick<PluginParts, 'hasChain' | 'elements' | 'jumps' | 'change'> {
    const [reader, writer] = [this.#reader!, this.#writer!]
    return {
      hasChain: ({ family, ...at }) => variant === 'legacy' || reader.hasChain({ ...at, family: NFT_FAMILY[family] }),
      jumps: ({ family, ...at }) => reader.jumps({ ...at, family: NFT_FAMILY[family] }),
      elements: ({ family, ...at }) => reader.elements({ ...at, family: NFT_FAMILY[family] }),
      change: changes => writer.change(changes),
    }
  }
}

const NFT_FAMILY = { ipv4: 'ip', ipv6: 'ip6' } as const

const OUTSIDE = { ip4: '203.0.113.2', ip6: '2001:db8::2' }

const REFERENCE_PATH = '/usr/lib/cni'

const METHODS = { ADD: 'add', DEL: 'del', CHECK: 'check', STATUS: 'status', GC: 'gc' } as const
