import { describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import { service } from '../../../support/objects.ts'
import { ruleset, unit, unitText } from '../../../support/units.ts'
import { VIEW } from '../view.ts'

// The audit: belief is compared with the kernel in the background, which may take a minute, and changes must not wait
// for it.

const OK: Outcome = { code: 0, stdout: '', stderr: '' }
const HOUR_MS = 3_600_000
/** A mode of one unit per service port; its kernel is a map, and reading takes as long as the test says. */
class Scene {
  readonly rules = new Map<string, string>()
  readonly reports: Report[] = []
  readonly written: string[] = []
  readonly clock = new PaperClock()
  readonly cluster = new Cluster()
  readonly stop = new AbortController()
  readonly lane: Lane
  readonly #running: Promise<void>
  reads = 0
  /** Called in the middle of a read, which finds what it returns. */
  found: (now: Ruleset) => Promise<Ruleset> = async now => now

  constructor() {
    const kernel: Kernel = {
      run: async ({ argv, input = '' }) => {
        if (argv[0] !== 'write') return OK
        this.written.push(input)
        for (const line of input.split('\n')) {
          if (line.startsWith('-')) this.rules.delete(line.slice(1))
          else this.rules.set(line, '')
        }
        return OK
      },
    }
    const mode: Mode = {
      name: 'iptables',
      needs: {},
      portions: plan => [plan],
      base: () => [],
      service: ({ id }) => [{ unit: unit(id), text: '' }],
      write: ({ add, change, remove }) => {
        const lines = [
          ...[...add.keys(), ...change.keys()].map(unitText),
          ...[...remove].map(unit => `-${unitText(unit)}`),
        ]
        return lines.length === 0 ? [] : [anyCommand(['write'], { input: lines.join('\n') })]
      },
      read: () => {
        this.reads++
        return this.found(ruleset(Object.fromEntries(this.rules)))
      },
      trace: () => [],
    }
    this.lane = new Lane({
      family: 'ipv4',
      cluster: this.cluster,
      mode,
      kernel,
      clock: this.clock,
      limits: { minMs: 0, retryMs: 30_000, distrustMs: HOUR_MS, unwatchedMs: HOUR_MS },
      nodeReader: () => ({
        thisNode: { family: 'ipv4', nodeName: 'here', masquerade: 'never' },
        view: VIEW,
        addresses: [],
      }),
      onReport: report => this.reports.push(report),
    })
    this.put(service('shop/cart', ['10.96.0.10']))
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) this.cluster.apply({ type: 'synced', kind })
    this.lane.touch([])
    this.#running = this.lane.run(this.stop.signal)
  }

  /** The next reads find what the kernel has when they begin, or nothing, and end when the test says. */
  slowly(shows: 'all' | 'nothing' = 'all'): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.found = async now => {
      await promise
      return shows === 'all' ? now : new Map()
    }
    return resolve
  }

  put(...objects: readonly ClusterObject[]): void {
    for (const object of objects) this.lane.touch(this.cluster.apply({ type: 'put', object }).services)
  }

  async end(): Promise<void> {
    this.stop.abort()
    await this.#running
  }
}

describe('the kernel is audited', () => {
  test('and changes are written meanwhile; what they changed is no surprise', async () => {
    const here = new Scene()
    await here.clock.advance(0)
    const endRead = here.slowly()
    await here.clock.advance(HOUR_MS)
    expect(here.reads).toBe(2)
    here.put(service('shop/late', ['10.96.0.11']))
    await here.clock.advance(0)
    expect(here.written).toEqual(['shop/cart', 'shop/late'])
    endRead()
    await here.clock.advance(0)
    expect(here.reads).toBe(2)
    expect(here.reports.at(-1)).toMatchObject({ looked: true, drift: { count: 0 }, units: { added: 0 } })
    await here.clock.advance(HOUR_MS - 1000)
    expect(here.reads).toBe(2)
    await here.clock.advance(1000)
    expect(here.reads).toBe(3)
    await here.end()
  })

  test('and what another program has changed is found, reported and restored', async () => {
    const here = new Scene()
    await here.clock.advance(0)
    here.rules.clear()
    here.rules.set('foreign', '')
    await here.clock.advance(HOUR_MS)
    expect([...here.rules.keys()]).toEqual(['shop/cart'])
    expect(here.reports.at(-1)).toMatchObject({ looked: true, drift: { count: 2, units: ['shop/cart', 'foreign'] } })
    await here.end()
  })

  test('also where it was changed while a change of ours was written', async () => {
    const here = new Scene()
    await here.clock.advance(0)
    const endRead = here.slowly('nothing')
    here.rules.clear()
    await here.clock.advance(HOUR_MS)
    here.put(service('shop/late', ['10.96.0.11']))
    await here.clock.advance(0)
    here.found = async now => now
    endRead()
    await here.clock.advance(0)
    expect([...here.rules.keys()].sort()).toEqual(['shop/cart', 'shop/late'])
    expect(here.reports.at(-1)!.drift.units).toEqual(['shop/cart'])
    await here.end()
  })

  test('and where that fails, the next run reads, and reports the error', async () => {
    const here = new Scene()
    await here.clock.advance(0)
    here.found = () => Promise.reject(new Error('Resource temporarily unavailable'))
    await here.clock.advance(HOUR_MS)
    expect(here.reports.at(-1)!.failure?.error).toEqual(new Error('Resource temporarily unavailable'))
    here.found = async now => now
    await here.clock.advance(1000)
    expect(here.reports.at(-1)).toMatchObject({ looked: true, units: { added: 0 } })
    await here.end()
  })

  test('and a lane that ends meanwhile waits for it', async () => {
    const here = new Scene()
    await here.clock.advance(0)
    const endRead = here.slowly()
    await here.clock.advance(HOUR_MS)
    let ended = false
    const ending = here.end().then(() => {
      ended = true
    })
    await here.clock.advance(0)
    expect(ended).toBe(false)
    endRead()
    await ending
  })
})
