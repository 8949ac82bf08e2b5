import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import type { Pod } from './bridge-pod.ts'
import { ensured } from './bridge-requirements.ts'
import { BridgeStage, DUAL_STACK } from './bridge-stage.ts'

// Pods come and go in random order, several at once, by whatever their configuration says: after each step the node has the
// rules, ports and addresses of those that are attached, and nothing else. The model is a set.

const why = await ensured()

const ACTS = ['ADD', 'DEL', 'DEL without a result', 'DEL without a namespace', 'leave', 'GC'] as const
const CONFIGURATIONS: readonly JsonObject[] = [
  { ipMasq: true, ipMasqBackend: 'iptables' },
  { ipMasq: true, ipMasqBackend: 'nftables' },
  { ipMasq: true, macspoofchk: true },
  {},
]

interface Act {
  readonly pod: number
  readonly act: (typeof ACTS)[number]
}

const step = fc.uniqueArray(fc.record({ pod: fc.nat(3), act: fc.constantFrom(...ACTS) }), {
  selector: ({ pod }) => pod,
  minLength: 1,
  maxLength: 4,
})

describe.skipIf(why !== undefined)(`a walk of pods${why ? ` (skipped: ${why})` : ''}`, () => {
  test('the node has what is attached, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 10 }), async steps => {
        const walk = await PodWalk.open()
        try {
          for (const acts of steps) await walk.take(acts)
        } finally {
          await walk.end()
        }
      }),
      { numRuns: 8, endOnFailure: true },
    )
  }, 600_000)
})

interface Attached {
  readonly pod: Pod
  readonly result: CniResult
  hasNamespace: boolean
}

class PodWalk {
  readonly #stage: BridgeStage
  readonly #attached = new Map<number, Attached>()

  private constructor(stage: BridgeStage) {
    this.#stage = stage
  }

  static async open(): Promise<PodWalk> {
    return new PodWalk(await BridgeStage.open())
  }

  /** Acts of several pods at once; GC is alone, as a runtime has it. */
  async take(acts: readonly Act[]): Promise<void> {
    await Promise.all(acts.filter(({ act }) => act !== 'GC').map(act => this.#take(act)))
    for (const { act } of acts) if (act === 'GC') await this.#collect()
    await this.#compare()
  }

  async #take({ pod: slot, act }: Act): Promise<void> {
    const there = this.#attached.get(slot)
    const config = configOf(slot)
    if (act === 'ADD') {
      if (there !== undefined) return
      const pod = await this.#stage.addPod()
      this.#attached.set(slot, { pod, result: await this.#stage.call('ADD', pod, { config }), hasNamespace: true })
      return
    }
    if (there === undefined) return
    if (act === 'leave') {
      if (there.hasNamespace) await there.pod.leave()
      there.hasNamespace = false
      return
    }
    const previous = act === 'DEL without a result' ? {} : { previous: there.result }
    // Where a runtime gives no namespace, the pod has none any more.
    if (act === 'DEL without a namespace') await this.#take({ pod: slot, act: 'leave' })
    const without = act === 'DEL without a namespace' ? { without: 'namespace' as const } : previous
    await this.#stage.call('DEL', there.pod, { config, ...without })
    this.#attached.delete(slot)
  }

  /** What still has its namespace is valid. */
  async #collect(): Promise<void> {
    const alive = [...this.#attached].filter(([, { hasNamespace }]) => hasNamespace)
    const valid = alive.map(([, { pod }]) => ({ container: pod.container, ifname: 'eth0' }))
    await this.#stage.call('GC', await this.#stage.addPod(), { config: configOf(0), valid })
    for (const [slot, { hasNamespace }] of [...this.#attached]) if (!hasNamespace) this.#attached.delete(slot)
  }

  async #compare(): Promise<void> {
    const attached = [...this.#attached]
    const masqueraded = attached.filter(([slot]) => configOf(slot).ipMasq === true)
    const named = new Set(
      (await this.#stage.rulesWith('bridge-pod')).flatMap(line => /bridge-pod-\d+-\d+/.exec(line) ?? []),
    )
    expect([...named].toSorted()).toEqual(masqueraded.map(([, { pod }]) => pod.container).toSorted())
    const ruleset = await this.#stage.run('nft', 'list', 'ruleset')
    const chains = new Set(ruleset.match(/CNI-[0-9a-f]{24}/g) ?? [])
    expect(chains.size).toBe(masqueraded.filter(([slot]) => configOf(slot).ipMasqBackend !== 'nftables').length)
    const held = attached.flatMap(([, { result }]) => result.ips.map(({ address }) => address))
    expect((await this.#stage.leased()).toSorted()).toEqual(held.toSorted())
    for (const [slot, { pod, result, hasNamespace }] of attached)
      if (hasNamespace) await this.#stage.call('CHECK', pod, { config: configOf(slot), previous: result })
  }

  end(): Promise<void> {
    return this.#stage.end()
  }
}

function configOf(slot: number): JsonObject {
  return { isGateway: true, ipam: DUAL_STACK, ...CONFIGURATIONS[slot] }
}
