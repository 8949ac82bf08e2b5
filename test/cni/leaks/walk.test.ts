import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Lease, LeaseRefused } from '#ipam/leases/lease-book.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { LEAK_LIMITS, WITNESSES } from '#ipam/witnesses/verdict.ts'
import { heldLeases, range } from '../../support/leases.ts'
import { PaperNode } from './paper-node.ts'

// Random lives of pods: some die without a DEL, some lose the lease that they go on using, witnesses fail, daemon and machine
// start anew. Nothing that lives is freed, each leak is, once witnesses answer for as long as it takes, and what a pod was seen
// to use is given to no other.

/** Fewer addresses than pods. */
const SETS: readonly RangeSet[] = [[range('10.9.0.0/28 10.9.0.1-10.9.0.7')]]
const pod = fc.integer({ min: 0, max: 7 }).map(i => `c${i}`)

const step = fc.oneof(
  { weight: 14, arbitrary: fc.record({ does: fc.constant('add' as const), pod }) },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('del' as const), pod }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('vanish' as const), pod }) },
  // Of what a witness sees of it, one after another goes.
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('fade' as const), pod, witness: fc.constantFrom(...WITNESSES) }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('fail' as const), witness: fc.constantFrom(...WITNESSES) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('answer' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({ does: fc.constant('round' as const), seconds: fc.integer({ min: 1, max: 90 }) }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('lose' as const), pod }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('gc' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reboot' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Containers have ids of their own; a name stands for the pod that has it now. */
class Life {
  readonly node: PaperNode
  readonly #ids = new Map<string, string>()
  /** Address: the container that was seen to use it without a lease, and is there still. */
  readonly #seenInUse = new Map<string, string>()
  #next = 0

  constructor(atOnce: number) {
    this.node = new PaperNode()
    this.node.atOnce = atOnce
  }

  async take(one: Step): Promise<void> {
    const { node } = this
    switch (one.does) {
      case 'add': {
        if (this.#ids.has(one.pod)) return
        const id = `${one.pod}-${this.#next++}`
        const leases = await node.add(id, { sets: SETS }).catch(error => {
          if (error instanceof LeaseRefused) return undefined
          throw error
        })
        if (leases === undefined) return
        this.#ids.set(one.pod, id)
        expect([...this.#seenInUse.keys()]).not.toContain(leases[0]!.address)
        return
      }
      case 'del':
        return this.#end(one.pod, id => node.del(id))
      case 'vanish':
        return this.#end(one.pod, async id => node.vanish(id))
      case 'fade':
        return this.#fade(one.pod, one.witness)
      case 'fail':
        return void node.failing.add(one.witness)
      case 'answer':
        return node.failing.clear()
      case 'round':
        await node.clock.advance(one.seconds * 1000)
        return this.round()
      case 'lose': {
        const id = this.#ids.get(one.pod)
        if (id !== undefined) await node.book.release({ network: 'mynet', container: id, ifname: 'eth0' }, 'a mistake')
        return
      }
      case 'gc': {
        const valid = [...this.#ids.values()].map(container => ({ container, ifname: 'eth0' }))
        return void (await node.book.keepOnly('mynet', valid, 'GC'))
      }
      case 'restart':
        return node.restartDaemon()
      case 'reboot':
        node.restartMachine()
        this.#forgetGone()
        // The runtime forgets them as it starts; the API server goes on naming them, as it does.
        return
    }
  }

  /** Frees nothing that a witness still sees, whether or not it answers. */
  async round(): Promise<void> {
    const { node } = this
    const live = new Set(
      (await heldLeases(node.leaks)).filter(({ container }) => node.isSeen(container)).map(l => l.container),
    )
    for (const { outcome, attachment } of await node.freeingRound()) {
      expect(outcome).toBe('freed')
      expect(live).not.toContain(attachment.holder.container)
    }
    const leases = await heldLeases(node.leaks)
    const held = new Set(leases.map(({ container }) => container))
    for (const container of live) expect(held).toContain(container)
    if (!node.failing.has('namespace')) await this.#noteConflicts(leases)
  }

  /** Every address that a pod uses is leased to it or in conflict. */
  async #noteConflicts(leases: readonly Lease[]): Promise<void> {
    const { node } = this
    const leased = leases.map(({ address, container }) => `${address} ${container}`)
    const used = [...node.namespaces].flatMap(([path, { addresses }]) =>
      [...addresses].map(address => `${address} ${path.slice('/run/netns/'.length)}`),
    )
    const conflicts = (await node.leaks.conflicts()).map(({ address, container }) => `${address} ${container}`)
    expect(conflicts.toSorted()).toEqual(used.filter(one => !leased.includes(one)).toSorted())
    this.#seenInUse.clear()
    for (const one of conflicts) this.#seenInUse.set(one.split(' ')[0]!, one.split(' ')[1]!)
  }

  #forgetGone(): void {
    for (const [address, container] of this.#seenInUse) {
      if (!this.node.namespaces.has(`/run/netns/${container}`)) this.#seenInUse.delete(address)
    }
  }

  async #end(name: string, end: (id: string) => Promise<void>): Promise<void> {
    const id = this.#ids.get(name)
    this.#ids.delete(name)
    if (id !== undefined) await end(id)
    this.#forgetGone()
  }

  #fade(name: string, witness: (typeof WITNESSES)[number]): void {
    const id = this.#ids.get(name)
    if (id === undefined) return
    if (witness === 'namespace') this.node.namespaces.delete(`/run/netns/${id}`)
    this.#forgetGone()
    if (witness === 'runtime') this.node.results.delete(`mynet-${id}-eth0`)
    if (witness === 'api') this.node.pods.delete(`default/${id}`)
  }
}

test('nothing that lives is freed, and every leak is within grace and rounds of answers', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 30, maxLength: 120 }),
      fc.constantFrom(1, 3, 500),
      async (steps, atOnce) => {
        const life = new Life(atOnce)
        const { node } = life
        try {
          for (const one of steps) await life.take(one)
          node.failing.clear()
          await node.clock.advance(LEAK_LIMITS.graceMs)
          for (let i = 0; i < LEAK_LIMITS.rounds; i++) {
            await life.round()
            await node.clock.advance(60_000)
          }
          const left = (await heldLeases(node.leaks)).map(({ container }) => container)
          expect(left.filter(container => !node.isSeen(container))).toEqual([])
          expect(await node.leaks.suspicions()).toEqual([])
        } finally {
          node.close()
        }
      },
    ),
    { numRuns: 40 },
  )
})
