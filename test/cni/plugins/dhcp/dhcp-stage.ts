import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DhcpMachine } from '#cni/plugins/dhcp/client.ts'
import { dhcp } from '#cni/plugins/dhcp/dhcp.ts'
import { addressAt, answerOf, OPTION } from '#cni/plugins/dhcp/message.ts'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import type { CniCommand, CniRequest } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import type { DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import { SqliteDhcpBook } from '#ipam/leases/dhcp/sqlite-dhcp-book.ts'
import { type PacketLinks, PacketsRefused } from '#system/packets/packet-link.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { paperMachine } from '../../parts.ts'
import { requestOf } from '../../requests.ts'
import { PaperNetworks } from '../bridge/paper-network.ts'
import { answerFrame, PaperClock, PaperLink, seconds } from './paper-server.ts'

// A pod on paper whose link has a DHCP server that remembers what it granted to whom, and the plugin with a database of its own.

export class PaperServer {
  readonly leases = new Map<Address, string>()
  mode: 'answers' | 'is silent' | 'refuses' | 'has forgotten' = 'answers'
  leaseSeconds = 600
  readonly routers = Buffer.from([10, 9, 0, 1])

  answer(question: Buffer): readonly Buffer[] {
    const payload = Buffer.from(question.subarray(14 + 20 + 8))
    payload[0] = 2
    const { kind, options } = answerOf(payload)!
    const client = options.get(OPTION.clientId)?.toString('hex') ?? ''
    const held = addressAt(payload, 12)
    if (kind === 'RELEASE' && held !== undefined && this.leases.get(held) === client) this.leases.delete(held)
    if (kind === 'RELEASE' || this.mode === 'is silent') return []
    const asked = held ?? addressAt(options.get(OPTION.requestedAddress) ?? Buffer.alloc(0), 0)
    const isFree = asked !== undefined && (this.leases.get(asked) ?? client) === client
    if (kind === 'REQUEST' && (this.mode === 'refuses' || !isFree)) return [answerFrame(question, { kind: 'NAK' })]
    const isMoved = kind === 'DISCOVER' || this.mode === 'has forgotten'
    const address = isMoved ? this.#free(client) : asked!
    if (kind === 'REQUEST') this.leases.set(address, client)
    const given = new Map([
      [OPTION.leaseSeconds, seconds(this.leaseSeconds)],
      [OPTION.routers, this.routers],
    ])
    return [
      answerFrame(question, { kind: kind === 'DISCOVER' ? 'OFFER' : 'ACK', yourAddress: address, options: given }),
    ]
  }

  #free(client: string): Address {
    const all = Array.from({ length: 50 }, (_, i) => parseAddress(`10.9.0.${i + 2}`)!)
    return all.find(one => (this.leases.get(one) ?? client) === client && this.mode !== 'has forgotten') ?? all[40]!
  }
}

export class DhcpStage {
  readonly server = new PaperServer()
  readonly networks = new PaperNetworks()
  readonly clock = new PaperClock()
  readonly namespaces = new Map([['/run/netns/c1', '4:c1']])
  readonly links: PaperLink[] = []
  boot = 'boot'
  readonly book: SqliteDhcpBook
  readonly parts: PluginParts
  readonly #folder = mkdtempSync(join(tmpdir(), 'dhcp-stage-'))

  constructor() {
    this.book = SqliteDhcpBook.open(join(this.#folder, 'ipam.db'))
    this.networks.pod.put('eth0', { kind: 'veth' })
    const delegated = () => Promise.reject(new Error('dhcp delegates nothing'))
    const machine = paperMachine()
    const packets: PacketLinks = {
      open: async (name, namespace) => {
        const where = namespace === undefined ? this.networks.node : this.networks.pod
        const isGone = namespace !== undefined && !this.namespaces.has(namespace)
        if (isGone || !where.found.has(name)) throw new PacketsRefused('ENODEV', `there is no link "${name}"`)
        const link = new PaperLink(question => {
          if (namespace !== undefined && !this.isUp)
            throw new PacketsRefused('ENETDOWN', 'cannot send a frame: ENETDOWN')
          return this.server.answer(question)
        })
        this.links.push(link)
        return link
      },
    }
    this.parts = {
      ...machine,
      ...{ networks: this.networks, clock: this.clock, packets, dhcpLeases: async () => this.book },
      files: {
        ...machine.files,
        namespaceId: async path => this.namespaces.get(path),
        bootId: async () => this.boot,
      },
      delegates: { add: delegated, del: delegated, check: delegated, status: delegated, gc: delegated },
    }
  }

  get machine(): DhcpMachine {
    const { networks, files, clock, packets } = this.parts
    return { networks, files, clock, packets: packets!, book: this.book }
  }

  request(command: CniCommand, more: object = {}, container = 'c1'): CniRequest {
    const env = { CNI_CONTAINERID: container, CNI_NETNS: `/run/netns/${container}` }
    return requestOf({ command, plugin: 'dhcp', env, config: { bridge: 'cni0', ipam: { type: 'dhcp' }, ...more } })
  }

  add(more?: object, container?: string): Promise<CniResult> {
    return dhcp.add(this.request('ADD', more, container), this.parts)
  }

  del(container?: string): Promise<void> {
    return dhcp.del(this.request('DEL', {}, container), this.parts)
  }

  async record(): Promise<DhcpRecord | undefined> {
    return this.book.held({ network: 'net1', container: 'c1', ifname: 'eth0' })
  }

  get isUp(): boolean {
    return this.networks.pod.found.get('eth0')?.isUp === true
  }

  close(): void {
    this.book.close()
    rmSync(this.#folder, { recursive: true })
  }
}
