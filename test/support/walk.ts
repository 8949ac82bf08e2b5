import type { Settings } from '#config/settings.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Mode, Ruleset, Unit } from '#proxy/modes/mode.ts'
import { type HostNetwork, nodeReader } from '#proxy/node/node-view.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import { systemClock } from '#system/clock.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { Walk } from './steps.ts'
import { textsOf } from './units.ts'

// Many steps in random order, some of which fail half way: after each, the kernel has exactly the units that a start
// from nothing would have written.

export interface WalkParts {
  readonly seed: number
  readonly steps: number
  readonly family: Family
  readonly settings: Settings
  readonly mode: Mode
  readonly kernel: Kernel
  /** True for a unit that the kernel may have besides the wanted ones. */
  readonly mayRemain?: (unit: Unit, text: string) => boolean
}

export const MACHINE: HostNetwork = {
  addresses: { ipv4: ['127.0.0.1', '10.99.0.2'] as never, ipv6: ['::1', 'fd00:99::2'] as never },
  liberalConntrack: false,
}

export interface Walked {
  readonly failures: number
  readonly looks: number
}

/** Throws with the seed and the step at which kernel and fresh start differ. */
export async function walk({ seed, steps, family, settings, mode, kernel, mayRemain }: WalkParts): Promise<Walked> {
  const way = new Walk(seed)
  const cluster = new Cluster()
  const around = nodeReader({ settings, family, nodeName: 'here', hostNetwork: () => MACHINE })
  const faulty = new Faulty(kernel)
  const limits = { minMs: 0, retryMs: 1, distrustMs: 1e9, unwatchedMs: 1e9 }
  const lane = new Lane({
    family,
    cluster,
    mode,
    kernel: faulty,
    clock: systemClock,
    limits,
    nodeReader: around,
    onReport: () => {},
  })
  let failures = 0
  let looks = 0
  for (let step = 0; step < steps; step++) {
    lane.touch(cluster.apply(way.step()).services)
    if (way.happens(0.1)) faulty.failAfter = way.happens(0.5) ? 0 : 1
    let report: Report
    do {
      report = await lane.once()
      failures += report.failure === undefined ? 0 : 1
      looks += report.looked ? 1 : 0
    } while (report.failure !== undefined)
    const wanted = fromScratch(way, mode, around)
    const found = [...(await mode.read(kernel))].filter(([unit, text]) => wanted.has(unit) || !mayRemain?.(unit, text))
    compareUnits(new Map(found), wanted, `seed ${seed}, step ${step}`)
  }
  return { failures, looks }
}

export function fromScratch(way: Walk, mode: Mode, around: ReturnType<typeof nodeReader>): Ruleset {
  const cluster = new Cluster()
  for (const object of way.objects) cluster.apply({ type: 'put', object })
  const draft = new Draft(cluster, mode, around)
  draft.update()
  return draft.book.rules
}

export function compareUnits(found: Ruleset, wanted: Ruleset, where: string): void {
  const [is, due] = [textsOf(found), textsOf(wanted)]
  const missing = [...due].filter(([unit, text]) => is.get(unit) !== text).map(([unit, text]) => `${unit}: ${text}`)
  const extra = [...is].filter(([unit, text]) => due.get(unit) !== text).map(([unit, text]) => `${unit}: ${text}`)
  if (missing.length + extra.length > 0)
    throw new Error(`${where}\n${JSON.stringify({ missing, extra }, undefined, 2)}`)
}

/** Fails the next document that has blocks after `failAfter` of them have been applied. */
class Faulty implements Kernel {
  failAfter: number | undefined
  readonly #kernel: Kernel

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  async run(command: Command): Promise<Outcome> {
    const blocks = command.input?.split(/(?<=^COMMIT\n)/m)
    if (this.failAfter === undefined || blocks === undefined) return this.#kernel.run(command)
    const input = blocks.slice(0, this.failAfter).join('')
    this.failAfter = undefined
    if (input !== '') await this.#kernel.run({ ...command, input })
    return { code: 4, stdout: '', stderr: 'Another app is currently holding the xtables lock.' }
  }
}
