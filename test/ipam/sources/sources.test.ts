import { configSource } from '#ipam/sources/config-source.ts'
import { nodeSource } from '#ipam/sources/node-source.ts'
import type { RangeSource } from '#ipam/sources/range-source.ts'
import { RingSource } from '#ipam/sources/ring-source.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { addressNumber } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { rangeSourceContract, type SourceUnderTest } from '../../contracts/range-source.ts'
import { CALM, PaperCluster, randomFrom } from '../ring/paper-cluster.ts'
import { PaperMemory } from './paper-memory.ts'

const nothing = async (): Promise<void> => {}

rangeSourceContract(
  'config',
  () => {
    const make = (): RangeSource => configSource(new PaperMemory())
    return {
      ...{ source: make(), neighbour: make(), restarted: make, give: nothing, replace: nothing, delete: nothing },
      ...{ goAway() {}, fill() {}, empty: nothing, settle: nothing },
    }
  },
  {
    'says why there is no range': 'each network names its own',
    'has a range once it is given': 'each network names its own',
    'remembers its ranges while the API server is away': 'it asks none',
    'names what was taken away': 'a configuration takes nothing from this node',
    'gives nothing once its Node is gone': 'it knows of no Node',
    'has no address that another node has': 'the author of the configurations sees to it',
    'gets more': 'the configuration says all there is',
    'takes back what is idle': 'the configuration says all there is',
  },
)

rangeSourceContract('node', () => new Podded(), {
  'gets more': 'podCIDRs of a Node are set once',
  'takes back what is idle': 'podCIDRs of a Node are set once',
})

rangeSourceContract('ring', () => new InRing())

/** Nodes with podCIDRs. */
class Podded implements SourceUnderTest {
  readonly #cidrs = new Map<string, readonly Cidr[]>([
    ['n1', []],
    ['n2', ['10.244.2.0/24' as Cidr]],
  ])
  readonly #memories = { n1: new PaperMemory(), n2: new PaperMemory() }
  #isAway = false
  readonly source = this.#of('n1')
  readonly neighbour = this.#of('n2')

  restarted(): RangeSource {
    return this.#of('n1')
  }

  async give(): Promise<void> {
    this.#cidrs.set('n1', ['10.244.1.0/24' as Cidr])
    await this.neighbour.refresh()
  }

  async replace(): Promise<void> {
    this.#cidrs.set('n1', ['10.244.9.0/24' as Cidr])
  }

  async delete(): Promise<void> {
    this.#cidrs.delete('n1')
  }

  goAway(): void {
    this.#isAway = true
  }

  fill(): void {}
  empty = nothing
  settle = nothing

  #of(nodeName: 'n1' | 'n2'): RangeSource {
    const read = async () => {
      if (this.#isAway) throw new Error('the API server is away')
      const podCIDRs = this.#cidrs.get(nodeName)
      return podCIDRs && { podCIDRs }
    }
    return nodeSource({ nodeName, read, memory: this.#memories[nodeName] })
  }
}

/** Two nodes that share a ring; the third is there to take over what is another's. */
class InRing implements SourceUnderTest {
  readonly #cluster = new PaperCluster('10.32.0.0/25', randomFrom(3))
  readonly #clock = new PaperClock(1_000_000)
  readonly #uids = new Map(['n1', 'n2', 'n3'].map(name => [name, `uid-${name}`]))
  readonly #memories = new Map(['n1', 'n2', 'n3'].map(name => [name, new PaperMemory()]))
  #isAway = false
  readonly source = this.#of('n1')
  readonly neighbour = this.#of('n2')
  readonly #third = this.#of('n3')

  restarted(): RangeSource {
    return this.#of('n1')
  }

  async give(): Promise<void> {
    await this.neighbour.refresh()
  }

  /** As if the Node had been gone for a while: the node behind it has what was its own, and another one asks for more. */
  async replace(): Promise<void> {
    const { ring } = this.#cluster
    const tokens = ring!.tokens.map(token =>
      token.name === 'n1' ? { ...token, name: 'n3', uid: 'uid-n3', epoch: token.epoch + 1 } : token,
    )
    this.#cluster.ring = { ...ring!, tokens, revision: ring!.revision + 1 }
    this.#cluster.version++
    await this.#third.refresh()
  }

  async delete(): Promise<void> {
    this.#uids.delete('n1')
  }

  goAway(): void {
    this.#isAway = true
  }

  fill(): void {
    const [range] = this.source.mine().sets.flat()
    for (let at = Number(addressNumber(range!.start)); at < Number(addressNumber(range!.end)) - 2; at++)
      this.#memories.get('n1')!.leases.add(at)
  }

  async empty(): Promise<void> {
    const { leases } = this.#memories.get('n1')!
    for (const address of [...leases].slice(8)) leases.delete(address)
    await this.source.takeBack()
    await this.#clock.advance(600_000)
  }

  async settle(): Promise<void> {
    await this.neighbour.refresh()
    await this.#third.refresh()
  }

  #of(nodeName: string): RingSource {
    this.#cluster.chances = CALM
    const range = this.#cluster.range
    const away = <T>(answer: () => T) => {
      if (this.#isAway) throw new Error('the API server is away')
      return answer()
    }
    const store = {
      read: async () => away(() => ({ ring: this.#cluster.ring, version: String(this.#cluster.version) })),
      write: async (ring: NonNullable<PaperCluster['ring']>) =>
        away(() => {
          this.#cluster.ring = ring
          this.#cluster.version++
          return { version: String(this.#cluster.version) }
        }),
    }
    return new RingSource({
      ...{ nodeName, range, subnet: range, store, clock: this.#clock, random: this.#cluster.random },
      memory: this.#memories.get(nodeName)!,
      init: async () => ({ mode: 'consensus', peers: 2 }),
      uidOf: async name => away(() => this.#uids.get(name)),
    })
  }
}
