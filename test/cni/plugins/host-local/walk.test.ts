import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperNode } from './node.ts'

// Any life of a node, many calls at once: what containers hold is what a set says, and no address is held twice.

type Step =
  | { readonly kind: 'ADD' | 'DEL'; readonly containers: readonly string[] }
  | { readonly kind: 'GC'; readonly containers: readonly string[] }
  | { readonly kind: 'wait' | 'reopen' | 'restart'; readonly containers: readonly string[] }

const CONTAINERS = Array.from({ length: 12 }, (_, i) => `c${i}`)
/** Six addresses of either family. */
const IPAM = {
  type: 'host-local',
  ranges: [
    [{ subnet: '10.66.0.0/30' }, { subnet: '10.66.1.0/29' }],
    [{ subnet: 'fd00:66::/124', rangeStart: 'fd00:66::a' }],
  ],
  cooldown: '10s',
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('ADD', 'ADD', 'ADD', 'DEL', 'DEL', 'GC', 'wait', 'reopen', 'restart'),
    containers: fc.uniqueArray(fc.constantFrom(...CONTAINERS), { minLength: 1, maxLength: 5 }),
  }),
  { minLength: 8, maxLength: 24 },
)

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-walk-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('no address is held twice and none is lost, through ADD, DEL, GC and starts of daemon and machine', async () => {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(steps, async walk => {
      const node = new WalkingNode(join(folder, `${runs++}.db`))
      for (const step of walk) await node.take(step)
      node.book.close()
    }),
    { numRuns: 25 },
  )
})

class WalkingNode extends PaperNode {
  readonly #path: string
  /** Who holds what, as the calls that succeeded say. */
  readonly #model = new Map<string, readonly string[]>()
  #starts = 1

  constructor(path: string) {
    super()
    this.#path = path
    this.#open()
  }

  async take({ kind, containers }: Step): Promise<void> {
    switch (kind) {
      case 'ADD':
        await Promise.all(containers.map(container => this.#add(container)))
        break
      case 'DEL':
        await Promise.all(containers.map(container => this.#del(container)))
        break
      case 'GC':
        await this.#gc(containers)
        break
      case 'wait':
        await this.clock.advance(6_000)
        break
      case 'restart':
        this.#starts++
        this.boot = `boot-${this.#starts}`
        // Its containers are gone, and so are their addresses once others need them.
        this.#model.clear()
        this.namespaces.clear()
        this.#reopen()
        return
      case 'reopen':
        this.#reopen()
        break
    }
    await this.#compare()
  }

  async #add(container: string): Promise<void> {
    this.namespaces.set(`/run/netns/${container}`, `4:${container}-${this.#starts}`)
    const { said, code } = await this.ask('ADD', { container, ipam: IPAM })
    if (code !== 0) {
      expect(said.msg).toMatch(/no IP addresses available|duplicate allocation is not allowed/)
      return
    }
    const addresses = said.ips.map((ip: { readonly address: string }) => ip.address.split('/')[0])
    for (const [holder, others] of this.#model) {
      expect(
        others.filter(address => addresses.includes(address)),
        `${holder} and ${container}`,
      ).toEqual([])
    }
    expect(addresses).not.toContain('10.66.0.1')
    expect(addresses).not.toContain('10.66.1.1')
    this.#model.set(container, addresses)
  }

  async #del(container: string): Promise<void> {
    expect(await this.del(container)).toBe('ok')
    this.#model.delete(container)
    this.namespaces.delete(`/run/netns/${container}`)
  }

  async #gc(valid: readonly string[]): Promise<void> {
    const attachments = valid.map(containerID => ({ containerID, ifname: 'eth0' }))
    await this.ask('GC', { ipam: IPAM, config: { 'cni.dev/valid-attachments': attachments } })
    for (const container of [...this.#model.keys()]) if (!valid.includes(container)) this.#model.delete(container)
  }

  async #compare(): Promise<void> {
    for (const container of CONTAINERS) {
      const leases = await this.book.held({ network: 'net1', container, ifname: 'eth0' })
      const held = leases.filter(({ boot }) => boot === this.boot).map(({ address }) => address)
      expect(held, container).toEqual(this.#model.get(container) ?? [])
    }
    const status = await this.ask('STATUS', { ipam: IPAM })
    if (this.#model.size === 6) expect(status.said).toMatchObject({ code: 50 })
  }

  #reopen(): void {
    this.book.close()
    this.#open()
  }

  #open(): void {
    const witness = (path: string) => this.namespaces.get(path)
    this.book = SqliteLeaseBook.open({ path: this.#path, clock: this.clock, boot: this.boot, witness })
  }
}
