import { expect } from 'vitest'
import { LEAK_LIMITS } from '#ipam/witnesses/verdict.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { heldLeases } from '../../support/leases.ts'
import { type Directory, LivingNode } from './living-node.ts'
import type { Step } from './step.ts'

// The model beside a node: which pods live with which addresses, and what is held by pods that are gone.

interface Pod {
  readonly container: string
  readonly addresses: readonly Address[]
  /** `foreign`: host-local's directory had it, which does not say where its namespace is. */
  readonly kind: 'ours' | 'foreign' | 'dhcp'
}

interface Leak {
  readonly since: number
  /** Rounds that counted in which all witnesses answered. */
  rounds: number
  /** Of the last that counted. */
  last: number
}

export class Life {
  readonly node = new LivingNode()
  readonly #live = new Map<string, Pod>()
  readonly #leaks = new Map<string, Leak>()
  #made = 0
  freed = 0

  /** After each step the node is as the model says. */
  async take(step: Step): Promise<void> {
    await this.#carryOut(step)
    await this.#compare()
  }

  async #carryOut(step: Step): Promise<void> {
    const { node } = this
    switch (step.does) {
      case 'add':
        return this.#add(step)
      case 'del':
        return this.#del(step)
      case 'grant':
        return this.#grant()
      case 'lose server':
        return this.#loseServer(step.pod)
      case 'gc':
        await node.gc([...this.#live.keys()])
        return this.#forgetLeaks(key => !key.startsWith('dhcp'))
      case 'kill':
        return node.paper.restartDaemon()
      case 'reboot':
        await node.reboot()
        return this.#afterReboot()
      case 'swap':
        return this.#swap(step)
      case 'fail':
        return void node.paper.failing.add(step.witness)
      case 'answer':
        return node.paper.failing.clear()
      case 'round':
        return this.#round(step.seconds)
      case 'wait':
        return node.paper.clock.advance(step.seconds * 1000)
    }
  }

  async #add({ way, ends }: Step & { does: 'add' }): Promise<void> {
    const container = this.#newContainer('pod')
    const addresses = await this.node.add(container, way)
    if (addresses === undefined) return
    this.#expectUnused(addresses)
    if (ends === 'lost') return this.#leak(container)
    this.#live.set(container, { container, addresses, kind: 'ours' })
    if (ends === 'well') this.node.register(container)
  }

  async #del({ way, ends, pod }: Step & { does: 'del' }): Promise<void> {
    const one = this.#chosen(pod, () => true)
    if (one === undefined) return
    const { container, kind } = one
    // No witness but the runtime knows of those, which alone frees nothing.
    if (ends === 'lost' && kind !== 'foreign') {
      this.#live.delete(container)
      return this.#leak(container)
    }
    if (kind === 'dhcp') await this.node.paper.dhcp!.remove({ network: 'mynet', container, ifname: 'eth0' })
    else await this.node.del(container, way)
    this.node.paper.vanish(container)
    this.#live.delete(container)
  }

  async #grant(): Promise<void> {
    const container = this.#newContainer('dhcp')
    const address = parseAddress(`192.0.2.${(this.#made % 200) + 1}`)!
    await this.node.grant(container, address)
    this.#live.set(container, { container, addresses: [address], kind: 'dhcp' })
  }

  async #loseServer(pod: number): Promise<void> {
    const one = this.#chosen(pod, ({ kind }) => kind === 'dhcp')
    if (one === undefined) return
    const records = await this.node.paper.dhcp!.all()
    await this.node.loseServer(records.find(({ owner }) => owner.container === one.container)!)
  }

  /** Addresses that leaked are in the directory like all others, and come back with it. */
  #swap({ acts, pod }: Step & { does: 'swap' }): Promise<void> {
    return this.node.swap(directory => {
      for (const act of acts) {
        if (act === 'add') this.#addInstead(directory)
        else this.#delInstead(directory, pod)
      }
    })
  }

  #addInstead(directory: Directory): void {
    const container = this.#newContainer('other')
    const addresses = directory.add(container)
    if (addresses === undefined) return
    this.#expectUnused(addresses)
    this.node.makeNamespace(container, addresses)
    this.node.register(container)
    this.#live.set(container, { container, addresses, kind: 'foreign' })
  }

  #delInstead(directory: Directory, pod: number): void {
    const one = this.#chosen(pod, ({ kind }) => kind !== 'dhcp')
    if (one === undefined) return
    directory.del(one.container)
    this.node.paper.vanish(one.container)
    this.#live.delete(one.container)
  }

  async #round(seconds: number): Promise<void> {
    const { paper } = this.node
    await paper.clock.advance(seconds * 1000)
    const now = paper.clock.now()
    const answered = paper.failing.size === 0
    for (const { outcome, attachment } of await paper.freeingRound()) {
      expect(outcome).toBe('freed')
      expect([...this.#live.keys()]).not.toContain(attachment.holder.container)
      this.#leaks.delete(attachment.holder.container)
      this.freed++
    }
    for (const [container, leak] of this.#leaks) {
      if (!answered || now - leak.since < LEAK_LIMITS.graceMs || now - leak.last < LEAK_LIMITS.apartMs) continue
      leak.rounds++
      leak.last = now
      expect(leak.rounds, `${container} leaked ${now - leak.since} ms ago`).toBeLessThan(LEAK_LIMITS.rounds)
    }
  }

  /** What lives is held with its addresses; what is held beside that has leaked, and is known to have. */
  async #compare(): Promise<void> {
    const { paper } = this.node
    const leases = [...(await heldLeases(paper.leaks)), ...(await paper.dhcp!.all()).map(granted)]
    const held = Map.groupBy(leases, ({ container }) => container)
    for (const { container, addresses } of this.#live.values())
      expect(
        held.get(container)?.map(({ address }) => address),
        container,
      ).toEqual(addresses)
    for (const container of held.keys())
      if (!this.#live.has(container)) expect([...this.#leaks.keys()]).toContain(container)
  }

  close(): void {
    this.node.close()
  }

  #afterReboot(): void {
    const granted = [...this.#live.values()].filter(({ kind }) => kind === 'dhcp')
    this.#live.clear()
    this.#forgetLeaks(key => !key.startsWith('dhcp'))
    for (const { container } of granted) this.#leak(container)
  }

  #expectUnused(addresses: readonly Address[]): void {
    for (const pod of this.#live.values())
      expect(
        pod.addresses.filter(address => addresses.includes(address)),
        pod.container,
      ).toEqual([])
    expect(addresses).toHaveLength(2)
    for (const address of addresses) expect(['10.9.0.1', 'fd00:9::1']).not.toContain(address)
  }

  #leak(container: string): void {
    this.node.paper.vanish(container)
    const now = this.node.paper.clock.now()
    this.#leaks.set(container, { since: now, rounds: 0, last: Number.NEGATIVE_INFINITY })
  }

  #forgetLeaks(which: (container: string) => boolean): void {
    for (const container of [...this.#leaks.keys()]) if (which(container)) this.#leaks.delete(container)
  }

  #chosen(index: number, which: (pod: Pod) => boolean): Pod | undefined {
    const pods = [...this.#live.values()].filter(which)
    return pods[index % pods.length]
  }

  #newContainer(kind: string): string {
    return `${kind}-${this.#made++}`
  }
}

function granted({ owner, lease }: { owner: { readonly container: string }; lease: { readonly address: Address } }) {
  return { container: owner.container, address: lease.address }
}
