import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LeakRound, pagedRound, type RoundAttachment, type RoundParts, suspicionsAfter } from '#cni/leaks/round.ts'
import { type TakenBack, takeBack } from '#cni/leaks/take-back.ts'
import { portOwners } from '#cni/plugins/bridge/links/ports.ts'
import { interfaceComment } from '#cni/plugins/bridge/rules/names.ts'
import type { DhcpBook } from '#ipam/leases/dhcp/dhcp-book.ts'
import { SqliteLeakBook } from '#ipam/leases/leaks/sqlite-leak-book.ts'
import { holderKey, type Lease } from '#ipam/leases/lease-book.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { apiWitness } from '#ipam/witnesses/api-witness.ts'
import { namespaceWitness } from '#ipam/witnesses/namespace-witness.ts'
import { runtimeWitness } from '#ipam/witnesses/runtime-witness.ts'
import { LEAK_LIMITS, type WitnessName } from '#ipam/witnesses/verdict.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { NetworkRefused, type Networks } from '#system/network/network.ts'
import { type Command, NOT_FOUND } from '#system/ports.ts'
import type { Address } from '#values/address.ts'
import { heldLeases, leaseRequest } from '../../support/leases.ts'

// A node with pods and a real database of leases; what the witnesses see is on paper, and any of them may fail.

interface Namespace {
  readonly id: string
  readonly addresses: Set<Address>
}

export class PaperNode {
  readonly clock = new PaperClock(1_000_000_000)
  readonly failing = new Set<WitnessName>()
  /** One after another, for each question. */
  readonly asked: WitnessName[] = []
  readonly commands: Command[] = []
  readonly forgotten: Address[] = []
  /** Containers whose interface has its other end on the node, though no path leads to it. */
  readonly ports = new Set<string>()
  /** By path. */
  readonly namespaces = new Map<string, Namespace>()
  /** Of the runtime. */
  readonly results = new Set<string>()
  /** Of the API server: names of pods that run. */
  readonly pods = new Set<string>()
  boot = 'boot-1'
  /** Leases in a page of a round. */
  atOnce = 500
  book: SqliteLeaseBook
  leaks: SqliteLeakBook
  dhcp: DhcpBook | undefined
  #nextId = 1
  readonly #folder = mkdtempSync(join(tmpdir(), 'leaks-'))

  constructor() {
    this.book = this.#openBook()
    this.leaks = SqliteLeakBook.open(this.path, this.clock)
  }

  /** An ADD, by the plugin and by its runtime. */
  async add(container: string, options: Parameters<typeof leaseRequest>[1] = {}): Promise<readonly Lease[]> {
    const netns = `/run/netns/${container}`
    const namespace = this.namespaces.get(netns) ?? { id: `4:${this.#nextId++}`, addresses: new Set() }
    const request = leaseRequest(container, {
      ...{ netns, namespaceId: namespace.id, pod: `default/${container}`, cooldownMs: 10_000 },
      ...options,
    })
    const leases = await this.book.take(request)
    for (const { address } of leases) namespace.addresses.add(address)
    this.namespaces.set(netns, namespace)
    this.results.add(`mynet-${container}-eth0`)
    this.pods.add(`default/${container}`)
    return leases
  }

  async del(container: string): Promise<void> {
    await this.book.release({ network: 'mynet', container, ifname: 'eth0' }, 'DEL')
    this.vanish(container)
  }

  /** The pod is gone, and no DEL comes. */
  vanish(container: string): void {
    this.namespaces.delete(`/run/netns/${container}`)
    this.results.delete(`mynet-${container}-eth0`)
    this.pods.delete(`default/${container}`)
  }

  /** Whether any witness would name it, were it asked. */
  isSeen(container: string): boolean {
    return (
      this.namespaces.has(`/run/netns/${container}`) ||
      this.results.has(`mynet-${container}-eth0`) ||
      this.pods.has(`default/${container}`)
    )
  }

  /** The process ends, and another begins. */
  restartDaemon(): void {
    this.book.close()
    this.leaks.close()
    this.book = this.#openBook()
    this.leaks = SqliteLeakBook.open(this.path, this.clock)
  }

  restartMachine(): void {
    this.boot = `${this.boot}+`
    this.namespaces.clear()
    this.results.clear()
    this.restartDaemon()
  }

  get parts(): RoundParts {
    const names = (name: WitnessName) => {
      this.asked.push(name)
      if (this.failing.has(name)) throw new Error(`${name} does not answer`)
    }
    return {
      book: this.leaks,
      dhcp: this.dhcp,
      networks: this.networks,
      clock: this.clock,
      files: {
        bootId: async () => this.boot,
        seesAll: async () => true,
        namespaceId: async path => {
          names('namespace')
          return this.namespaces.get(path)?.id
        },
      },
      witnesses: look => [
        namespaceWitness({ look, portOwners: () => portOwners(this.networks) }),
        runtimeWitness({
          list: async () => {
            names('runtime')
            return [...this.results]
          },
        }),
        apiWitness(async () => {
          names('api')
          return [...this.pods].map(pod => ({ uid: `uid of ${pod}`, pod, addresses: [], isFinished: false }))
        }),
      ],
      limits: LEAK_LIMITS,
      asked: 'until-named',
      atOnce: this.atOnce,
    }
  }

  readonly networks: Networks = {
    open: async path => {
      if (path === undefined)
        return { links: async () => this.#ports(), deleteLink: async () => {}, close: () => {} } as never
      const namespace = this.namespaces.get(path ?? '')
      if (namespace === undefined) throw new NetworkRefused('ENOENT', 'gone')
      return {
        addresses: async () => [...namespace.addresses].map(address => ({ address, link: 2 })),
        links: async () => [{ index: 2, name: 'eth0' }],
        close: () => {},
      } as never
    },
  }

  #ports() {
    return [...this.ports].map(container => ({
      ...{ name: `veth-${container}`, kind: 'veth' },
      alias: interfaceComment({ network: 'mynet', container, ifname: 'eth0' }),
    }))
  }

  /** What the daemon does each minute. */
  async round(): Promise<LeakRound> {
    const attachments: RoundAttachment[] = []
    const end = await pagedRound(this.parts, async page => {
      attachments.push(...page.attachments)
      await this.leaks.keepSuspicions(page.known, suspicionsAfter(page))
    })
    await this.leaks.keepConflicts(end.conflicts)
    return { attachments, ...end }
  }

  async freeingRound(): Promise<readonly TakenBack[]> {
    const { attachments } = await this.round()
    const freed: TakenBack[] = []
    for (const one of attachments) if (one.verdict.is === 'leaked') freed.push(await takeBack(one, this.takeBackParts))
    return freed
  }

  get takeBackParts() {
    return {
      book: this.leaks,
      kernel: {
        run: async (command: Command) => {
          this.commands.push(command)
          return { code: NOT_FOUND, stdout: '', stderr: '' }
        },
      },
      clock: this.clock,
      networks: this.networks,
      files: { ...this.parts.files, read: async () => undefined },
      ...(this.dhcp !== undefined && { dhcpLeases: async () => this.dhcp! }),
      forgetConnections: (addresses: readonly Address[]) => void this.forgotten.push(...addresses),
    }
  }

  /** Container: verdict. */
  async verdicts(): Promise<Readonly<Record<string, string>>> {
    const { attachments } = await this.round()
    return Object.fromEntries(attachments.map(({ holder, verdict }) => [holder.container, verdict.is]))
  }

  async minutes(count: number): Promise<void> {
    await this.clock.advance(count * 60_000)
  }

  async held(): Promise<readonly string[]> {
    return (await heldLeases(this.leaks)).map(holderKey)
  }

  close(): void {
    this.book.verify()
    this.book.close()
    this.leaks.close()
    rmSync(this.#folder, { recursive: true })
  }

  get path(): string {
    return join(this.#folder, 'ipam.db')
  }

  #openBook(): SqliteLeaseBook {
    const witness = (path: string) => this.namespaces.get(path)?.id
    return SqliteLeaseBook.open({ path: this.path, clock: this.clock, boot: this.boot, witness })
  }
}
