import { anyCommand } from '#lab/any-command.ts'
import type { Mode, Parts, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Kernel } from '#system/ports.ts'
import { part, ruleset, unit, unitText } from '../../support/units.ts'

// A mode of one command a unit, and a kernel that is a map: what a sync does is seen line by line.

const EMPTY_PARTS = new Set<string>()

export class LineKernel implements Kernel {
  readonly rules = new Map<string, string>()
  /** Each command, in the order in which they ran. */
  ran: string[] = []
  /** The command fails that comes after so many more; what came before it stands. */
  failsAfter: number | undefined
  refusesForeignRules = false

  run: Kernel['run'] = async ({ argv, input = '' }) => {
    const words = input === '' ? argv.join(' ') : input
    this.ran.push(words)
    if (argv[0] !== 'write') return { code: 0, stdout: '', stderr: '' }
    if (this.failsAfter !== undefined && this.failsAfter-- <= 0) {
      this.failsAfter = undefined
      // Another process held the lock: no owner is to blame.
      return { code: 4, stdout: '', stderr: 'holding the xtables lock' }
    }
    const [, sign, name, text] = /^([+-])(\S+)(?: (.*))?$/.exec(input)!
    if (sign === '-') this.rules.delete(name!)
    else this.rules.set(name!, text ?? '')
    return { code: 0, stdout: '', stderr: '' }
  }

  /** What ran since it was last asked. */
  took(): readonly string[] {
    const ran = this.ran
    this.ran = []
    return ran
  }

  get units(): Map<Unit, string> {
    return ruleset(Object.fromEntries(this.rules))
  }
}

export interface LineModeOptions {
  /** No part can be read alone. */
  readonly readsAll?: boolean
  /** Units of these names stand in a part that other programs share; every other unit is a part by itself. */
  readonly shared?: ReadonlySet<string>
}

export function lineMode(kernel: LineKernel, options?: LineModeOptions): Mode {
  const written = ([name, text]: readonly [Unit, string]) => `+${unitText(name)}${text === '' ? '' : ` ${text}`}`
  return {
    ...{ name: 'lines', needs: {}, base: () => [], service: () => [], trace: () => [] },
    portions: plan => [plan],
    write: ({ add, change, remove }) =>
      [...[...add, ...change].map(written), ...[...remove].map(name => `-${unitText(name)}`)].map(input =>
        anyCommand(['write'], { input }),
      ),
    read: async () => {
      await kernel.run(anyCommand(['read']))
      return kernel.units
    },
    foreignRules: async () => {
      if (kernel.refusesForeignRules) throw new Error('refused')
      return new Map()
    },
    ...(options !== undefined && {
      watches: { author: () => undefined, concerns: () => 'nothing', parts: partsOf(kernel, options) },
    }),
  }
}

function partsOf(kernel: LineKernel, { shared = EMPTY_PARTS, readsAll = false }: LineModeOptions): Parts {
  const nameOf = (name: Unit): string => (shared.has(unitText(name)) ? 'shared' : unitText(name))
  return {
    of: name => part(nameOf(name)),
    unitOf: one => (unitText(one) === 'shared' ? undefined : unit(unitText(one))),
    read: async (_, parts): Promise<Ruleset | undefined> => {
      if (readsAll) return undefined
      await kernel.run(anyCommand(['read', ...[...parts].map(unitText).sort()]))
      return new Map([...kernel.units].filter(([name]) => parts.has(part(nameOf(name)))))
    },
  }
}
