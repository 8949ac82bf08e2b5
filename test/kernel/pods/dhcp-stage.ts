import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { DhcpMachine } from '#cni/plugins/dhcp/client.ts'
import { dhcp } from '#cni/plugins/dhcp/dhcp.ts'
import { type Renewal, renewDue } from '#cni/plugins/dhcp/renewal.ts'
import type { Delegates, PluginParts } from '#cni/plugins/plugin.ts'
import type { DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import { SqliteDhcpBook } from '#ipam/leases/dhcp/sqlite-dhcp-book.ts'
import { ipLines, namespacePath } from '#lab/network/namespaces.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import { packetLinks } from '#system/packets/packet-socket.ts'
import { hostFiles } from '#system/plugin-files.ts'
import type { Clock } from '#system/ports.ts'
import { type Namespace, newNamespace } from '../namespace.ts'
import { BridgeStage } from './bridge-stage.ts'
import { DhcpServer, SERVER_ADDRESS } from './dhcp-server.ts'

// A node whose bridge leads to a dnsmasq, and pods that get their addresses from it, through `bridge` as a runtime calls it.

export class DhcpStage {
  readonly bridge: BridgeStage
  readonly #server: Namespace
  readonly #folder: string
  readonly #clock = new ShiftedClock()
  #dnsmasq: DhcpServer | undefined
  #book: SqliteDhcpBook | undefined

  private constructor(bridge: BridgeStage, server: Namespace) {
    this.bridge = bridge
    this.#server = server
    this.#folder = mkdtempSync('/tmp/dhcp-test-')
  }

  static async open(): Promise<DhcpStage> {
    const bridge = await BridgeStage.open()
    const stage = new DhcpStage(bridge, await newNamespace('dhcp-server'))
    await stage.#connect()
    stage.#equip()
    return stage
  }

  async #connect(): Promise<void> {
    await must(
      this.bridge.node.kernel,
      ipLines([
        'link add cni0 type bridge',
        `link add server type veth peer name eth0 netns ${this.#server.name}`,
        'link set server master cni0 up',
        'link set cni0 up',
      ]),
    )
    await must(
      this.#server.kernel,
      ipLines([`address add ${SERVER_ADDRESS}/24 dev eth0`, 'link set eth0 up', 'link set lo up']),
    )
  }

  #equip(): void {
    const real = netlinkNetworks()!
    const node = namespacePath(this.bridge.node.name)
    const networks = { open: (path?: string) => real.open(path ?? node) }
    const packets = packetLinks(real)!
    const parts: PluginParts = {
      ...this.bridge.parts,
      networks,
      packets: { open: (link, path) => packets.open(link, path ?? node) },
      clock: this.#clock,
      files: hostFiles,
      delegates: this.#delegates,
      dhcpLeases: async () => this.#opened(),
    }
    this.bridge.parts = parts
  }

  readonly #delegates: Delegates = {
    add: (_, request) => dhcp.add(request, this.bridge.parts),
    del: (_, request) => dhcp.del(request, this.bridge.parts),
    check: (_, request) => dhcp.check(request, this.bridge.parts),
    status: (_, request) => dhcp.status(request, this.bridge.parts),
    gc: (_, request) => dhcp.gc(request, this.bridge.parts),
  }

  /** As if the process had ended and another had begun. */
  restartProcess(): void {
    this.#book?.close()
    this.#book = undefined
  }

  /** Time goes on, for the client alone. */
  advance(seconds: number): void {
    this.#clock.shiftMs += seconds * 1000
  }

  /** Where nothing can come that is waited for: the wait is over at once, and its time has gone by. */
  skipWaiting(): void {
    this.#clock.isWaitingSkipped = true
  }

  waitAgain(): void {
    this.#clock.isWaitingSkipped = false
  }

  async renewDue(): Promise<readonly Renewal[]> {
    const { networks, files, clock, packets } = this.bridge.parts
    const renewals: Renewal[] = []
    await renewDue({ networks, files, clock, packets: packets!, book: this.#opened() } satisfies DhcpMachine, renewal =>
      renewals.push(renewal),
    )
    return renewals
  }

  records(): Promise<readonly DhcpRecord[]> {
    return this.#opened().all()
  }

  async startServer(...options: readonly string[]): Promise<void> {
    this.#dnsmasq = await DhcpServer.start({
      options,
      within: argv => ['ip', 'netns', 'exec', this.#server.name, ...argv],
      leaseFile: { there: this.#leases, here: this.#leases },
    })
  }

  async stopServer(): Promise<void> {
    await this.#dnsmasq?.end()
    this.#dnsmasq = undefined
  }

  /** Fails where none runs. */
  get server(): DhcpServer {
    return this.#dnsmasq!
  }

  async end(): Promise<void> {
    await this.stopServer()
    this.#book?.close()
    await this.bridge.end()
    await this.#server.end()
    rmSync(this.#folder, { recursive: true })
  }

  get #leases(): string {
    return join(this.#folder, 'leases')
  }

  #opened(): SqliteDhcpBook {
    this.#book ??= SqliteDhcpBook.open(join(this.#folder, 'ipam.db'))
    return this.#book
  }
}

class ShiftedClock implements Clock {
  shiftMs = 0
  isWaitingSkipped = false

  now(): number {
    return systemClock.now() + this.shiftMs
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.isWaitingSkipped) return systemClock.sleep(ms, signal)
    this.shiftMs += ms
    await setImmediate()
  }
}
