import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answer, type PluginMachine } from '#cni/answer.ts'
import { hostLocal } from '#cni/plugins/host-local/host-local.ts'
import type { CniCommand } from '#cni/protocol/request.ts'
import type { DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import { SqliteDhcpBook } from '#ipam/leases/dhcp/sqlite-dhcp-book.ts'
import { exportFolders, importFolders } from '#ipam/leases/directory/transfer.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { PaperNode } from '../leaks/paper-node.ts'
import { paperMachine } from '../parts.ts'
import { variables } from '../requests.ts'
import type { Way } from './step.ts'

// A node whose runtime calls host-local, in the daemon or beside it, on a real database; namespaces and witnesses are on paper.

export const NETWORK = 'mynet'
const RANGES = [[{ subnet: '10.9.0.0/27' }], [{ subnet: 'fd00:9::/123' }]]
const LAST_GIVEN = 30

export class LivingNode {
  readonly paper = new PaperNode()
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'networks-'))
  #nextNamespace = 0

  constructor() {
    this.paper.dhcp = SqliteDhcpBook.open(this.paper.path)
  }

  /** Addresses of an ADD; undefined where it was refused because none was free. */
  async add(container: string, way: Way): Promise<readonly Address[] | undefined> {
    this.makeNamespace(container, [])
    const { code, stdout } = await this.#call('ADD', container, way)
    if (code !== 0) {
      if (!stdout.includes('no IP addresses available')) throw new Error(stdout)
      this.paper.vanish(container)
      return undefined
    }
    const { ips } = JSON.parse(stdout) as { readonly ips: readonly { readonly address: string }[] }
    const addresses = ips.map(({ address }) => parseAddress(address.split('/')[0])!)
    this.makeNamespace(container, addresses)
    return addresses
  }

  /** The runtime and the API server know it from now on. */
  register(container: string): void {
    this.paper.results.add(`${NETWORK}-${container}-eth0`)
    this.paper.pods.add(`default/${container}`)
  }

  makeNamespace(container: string, addresses: readonly Address[]): string {
    const path = `/run/netns/${container}`
    const id = this.paper.namespaces.get(path)?.id ?? `5:${this.#nextNamespace++}`
    this.paper.namespaces.set(path, { id, addresses: new Set(addresses) })
    return id
  }

  async del(container: string, way: Way): Promise<void> {
    const { code, stdout } = await this.#call('DEL', container, way)
    if (code !== 0) throw new Error(stdout)
  }

  async gc(valid: readonly string[]): Promise<void> {
    const attachments = valid.map(containerID => ({ containerID, ifname: 'eth0' }))
    const { code, stdout } = await this.#call('GC', 'none', 'daemon', { 'cni.dev/valid-attachments': attachments })
    if (code !== 0) throw new Error(stdout)
  }

  /** By a DHCP server. */
  async grant(container: string, address: Address): Promise<void> {
    const { paper } = this
    const namespaceId = this.makeNamespace(container, [address])
    const [netns, now] = [`/run/netns/${container}`, paper.clock.now()]
    const owner = { network: NETWORK, container, ifname: 'eth0', netns, namespaceId, pod: `default/${container}` }
    const until = now + 3_600_000
    await paper.dhcp!.put({
      ...{ owner, boot: paper.boot, wanted: [], provided: [], state: 'bound', dueAt: until },
      lease: {
        ...{ address, prefixLength: 24, server: address, serverHardware: '020000000001', routes: [] },
        ...{ grantedAt: now, renewAt: until, rebindAt: until, expiresAt: until },
      },
    })
    this.register(container)
  }

  /** Its server is gone, and so is the address; the pod is there, and asks again. */
  async loseServer(record: DhcpRecord): Promise<void> {
    await this.paper.dhcp!.replace(record, { ...record, state: 'expired' })
    this.makeNamespace(record.owner.container, [])
  }

  async reboot(): Promise<void> {
    this.paper.restartMachine()
    this.paper.pods.clear()
    await this.paper.book.releaseLeftOvers()
  }

  /** Other plugins work on host-local's directory meanwhile. */
  async swap(other: (directory: Directory) => void): Promise<void> {
    const { book, path, clock } = this.paper
    const lock = <T>(_: string, work: () => Promise<T>): Promise<T> => work()
    await clock.advance(1)
    const now = clock.now()
    await exportFolders(this.#dataDir, readLeases(path, now)!, lock)
    await book.handOver([NETWORK], now)
    await clock.advance(1000)
    other(new Directory(join(this.#dataDir, NETWORK)))
    const imported = await importFolders(this.#dataDir, { book, lock, cooldownMs: 10_000 })
    const conflicts = imported.flatMap(one => [...one.conflicts, ...one.problems])
    if (conflicts.length > 0) throw new Error(JSON.stringify(conflicts))
  }

  close(): void {
    this.paper.dhcp!.close()
    this.paper.close()
    rmSync(this.#dataDir, { recursive: true })
  }

  async #call(command: CniCommand, container: string, way: Way, more: object = {}) {
    const { paper } = this
    const pod = `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${container};K8S_POD_UID=uid of default/${container}`
    const env = { CNI_CONTAINERID: container, CNI_NETNS: `/run/netns/${container}`, CNI_ARGS: pod }
    const ipam = { type: 'host-local', ranges: RANGES, cooldown: '10s' }
    const stdin = JSON.stringify({ cniVersion: '1.1.0', name: NETWORK, type: 'bridge', ipam, ...more })
    const witness = (path: string) => paper.namespaces.get(path)?.id
    const book =
      way === 'daemon'
        ? paper.book
        : SqliteLeaseBook.open({ path: paper.path, clock: paper.clock, boot: paper.boot, witness })
    try {
      const machine = this.#machine(book)
      return await answer(
        { plugin: 'host-local', env: variables(command, env), stdin },
        { plugins: [hostLocal], machine, version: 'v1' },
      )
    } finally {
      if (way === 'fallback') book.close()
    }
  }

  #machine(book: SqliteLeaseBook): PluginMachine {
    const [machine, { paper }] = [paperMachine(), this]
    return {
      ...machine,
      clock: paper.clock,
      files: {
        read: async () => undefined,
        bootId: async () => paper.boot,
        namespaceId: async path => (path === '/proc/self/ns/net' ? 'own' : paper.namespaces.get(path)?.id),
      },
      leases: async () => book,
    }
  }
}

/** As the reference plugin works on it. */
export class Directory {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
  }

  /** The lowest that is free, of each family: a worse order than its own, as what was just released comes first. */
  add(container: string): readonly Address[] | undefined {
    const taken = new Set(readdirSync(this.#folder))
    const free = Array.from({ length: LAST_GIVEN - 1 }, (_, i) => i + 2)
    const four = free.map(n => `10.9.0.${n}`).find(name => !taken.has(name))
    const six = free.map(n => `fd00:9::${n.toString(16)}`).find(name => !taken.has(name))
    if (four === undefined || six === undefined) return undefined
    for (const name of [four, six]) writeFileSync(join(this.#folder, name), `${container}\r\neth0`)
    return [four, six].map(text => parseAddress(text)!)
  }

  del(container: string): void {
    for (const name of readdirSync(this.#folder)) {
      const path = join(this.#folder, name)
      if (readFileSync(path, 'utf8') === `${container}\r\neth0`) rmSync(path)
    }
  }
}
