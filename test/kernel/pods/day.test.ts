import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { Installation, PodsNode, type RunningDaemon } from './pods-node.ts'
import { cannotCompile } from './shim.ts'
import { vanish } from './vanished.ts'

// Hours in the life of a node, with real namespaces and processes that are killed: no address of two pods, none freed that is in
// use, and after rounds of leaks none held that is not.

const why = cannotRun('iptables', 'nft', 'nsenter', 'unshare') ?? cannotCompile()

const BRIDGE = {
  ...{ cniVersion: '1.0.0', name: 'mynet', type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true },
  ipam: { type: 'host-local', subnet: '10.244.0.0/27', cooldown: '0s', routes: [{ dst: '0.0.0.0/0' }] },
}

type Step =
  | { readonly does: 'add' | 'add while the daemon is killed'; readonly count: number }
  | { readonly does: 'end' | 'vanish'; readonly count: number }
  | { readonly does: 'kill' | 'start' | 'rounds' | 'reboot' }

const count = fc.integer({ min: 1, max: 4 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('add' as const), count }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('add while the daemon is killed' as const), count }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('end' as const, 'vanish' as const), count }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom('kill' as const, 'start' as const, 'rounds' as const, 'reboot' as const),
    }),
  },
)

describe.skipIf(why !== undefined)(`hours of a node${why ? ` (skipped: ${why})` : ''}`, () => {
  let installation: Installation
  beforeAll(() => {
    installation = new Installation()
    installation.addFallback()
  })
  afterAll(() => installation.remove())

  test('addresses are held by the pods that have them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 12 }), async steps => {
        const hours = new Hours(await PodsNode.start(installation))
        try {
          for (const one of steps) await hours.take(one)
          await hours.take({ does: 'rounds' })
        } finally {
          await hours.end()
        }
      }),
      { numRuns: 2, endOnFailure: true },
    )
  }, 600_000)
})

class Hours {
  readonly #node: PodsNode
  /** Container → address. */
  readonly #live = new Map<string, string>()
  readonly #leaked = new Set<string>()
  #daemon: RunningDaemon | undefined
  #made = 0

  constructor(node: PodsNode) {
    this.#node = node
  }

  async take(step: Step): Promise<void> {
    await this.#carryOut(step)
    for (const [container, address] of this.#live)
      expect(this.#node.run('ip', '-n', container, '-o', '-4', 'address', 'show', 'eth0')).toContain(` ${address}/`)
    const held = this.#node.held().map(text => text.split(' ')[1]!)
    expect(held).toEqual([...new Set(held)])
    expect(held).toEqual(expect.arrayContaining([...this.#live.keys()]))
    expect(held.filter(container => !this.#live.has(container) && !this.#leaked.has(container))).toEqual([])
  }

  async #carryOut(step: Step): Promise<void> {
    switch (step.does) {
      case 'add':
        return this.#add(step.count, () => {})
      case 'add while the daemon is killed':
        return this.#add(step.count, () => this.#daemon?.kill('SIGKILL'))
      case 'end':
        for (const container of this.#some(step.count)) await this.#del(container)
        return
      case 'vanish':
        for (const container of this.#some(step.count)) await this.#vanish(container)
        return
      case 'kill':
        return this.#kill()
      case 'start':
        return this.#start()
      case 'rounds':
        return this.#rounds()
      case 'reboot':
        return this.#reboot()
    }
  }

  /** What failed is ended, as a runtime does it. */
  async #add(count: number, meanwhile: () => void): Promise<void> {
    const containers = Array.from({ length: count }, () => `c${this.#made++}`)
    const calls = containers.map(async container => {
      const { code, stdout } = await this.#call('ADD', container, this.#node.pod(container))
      return { container, code, stdout }
    })
    meanwhile()
    for (const { container, code, stdout } of await Promise.all(calls)) {
      if (code !== 0) {
        await this.#del(container)
        continue
      }
      const address = (JSON.parse(stdout) as Added).ips[0].address.split('/')[0]!
      expect([...this.#live.values()]).not.toContain(address)
      this.#live.set(container, address)
    }
  }

  async #del(container: string): Promise<void> {
    expect(await this.#call('DEL', container, `/run/netns/${container}`)).toMatchObject({ code: 0 })
    this.#node.run('ip', 'netns', 'delete', container)
    this.#live.delete(container)
  }

  async #vanish(container: string): Promise<void> {
    await vanish(this.#node, container)
    this.#live.delete(container)
    this.#leaked.add(container)
  }

  async #kill(): Promise<void> {
    this.#daemon?.kill('SIGKILL')
    await this.#daemon?.ended
    this.#daemon = undefined
  }

  async #start(): Promise<void> {
    if (this.#daemon?.isAlive() !== true) this.#daemon = await this.#node.startDaemon()
  }

  /** As many as it takes, with minutes between them. */
  #rounds(): void {
    if (this.#made === 0) return
    for (let i = 0; i < 4; i++) {
      this.#node.age(60_000)
      this.#node.ipam('gc', '--free')
    }
    this.#leaked.clear()
    const rules = this.#node.run('iptables-save', '-t', 'nat').match(/(?<=POSTROUTING -s )[\d.]+/g) ?? []
    expect(rules.toSorted()).toEqual([...this.#live.values()].toSorted())
  }

  /** Namespaces and rules are gone, and the daemon starts. */
  async #reboot(): Promise<void> {
    await this.#kill()
    for (const container of [...this.#live.keys()]) await this.#vanish(container)
    this.#node.run('sh', '-c', 'iptables -t nat -F; iptables -t nat -X')
    if (this.#made > 0) this.#node.change("UPDATE lease SET boot = 'another'")
    await this.#start()
    await expect.poll(() => this.#node.held(), { timeout: 20_000 }).toEqual([])
    this.#leaked.clear()
  }

  #some(count: number): readonly string[] {
    return [...this.#live.keys()].slice(0, count)
  }

  #call(command: string, container: string, netns: string) {
    return this.#node.call('bridge', { command, container, netns, config: BRIDGE })
  }

  end(): Promise<void> {
    return this.#node.stop()
  }
}

interface Added {
  readonly ips: readonly [{ readonly address: string }]
}
