import type { Mode, Plan, Unit } from '#proxy/modes/mode.ts'
import type { Kernel, RulesetDump } from '#system/ports.ts'
import type { Refused } from './refusals/isolation.ts'
import type { Blocked } from './report.ts'

// What a sync has done.

export interface Done {
  readonly looked: boolean
  /** Parts of the ruleset that another program had touched, and that were read or written again. */
  readonly doubted: number
  /** Units that were written again because nothing was known of them any more. */
  readonly unknown: number
  /** What was believed before is known to be other than by the plan: it was read, or in doubt, or a document failed. */
  readonly corrected: boolean
  readonly plan: Plan
  /** Units that differed without a change of the book: another program changed them. Empty at the first read. */
  readonly drift: readonly Unit[]
  /** Units that cannot be deleted because foreign rules jump to them, without those reported before. */
  readonly blocked: readonly Blocked[]
  /** Owners whose entries the kernel refuses; all others are written. */
  readonly refused: readonly Refused[]
  readonly commands: number
  readonly bytes: number
  /** Milliseconds: reading the kernel, working out what must change, running the commands. */
  readonly stages: { readonly read: number; readonly plan: number; readonly write: number }
}

/** One sync of several documents. */
export function merged(parts: readonly Done[]): Done {
  const [first, ...more] = parts
  return more.reduce(
    (all, one) => ({
      looked: all.looked || one.looked,
      corrected: true,
      doubted: all.doubted + one.doubted,
      unknown: all.unknown + one.unknown,
      plan: {
        add: new Map([...all.plan.add, ...one.plan.add]),
        change: new Map([...all.plan.change, ...one.plan.change]),
        before: new Map([...all.plan.before, ...one.plan.before]),
        remove: all.plan.remove.union(one.plan.remove),
      },
      drift: [...new Set([...all.drift, ...one.drift])],
      blocked: [...all.blocked, ...one.blocked],
      refused: [],
      commands: all.commands + one.commands,
      bytes: all.bytes + one.bytes,
      stages: {
        read: all.stages.read + one.stages.read,
        plan: all.stages.plan + one.stages.plan,
        write: all.stages.write + one.stages.write,
      },
    }),
    first!,
  )
}

export function unitsOf({ add, change, remove }: Plan): readonly Unit[] {
  return [...add.keys(), ...change.keys(), ...remove]
}

export function untouched(plan: Plan, touched: ReadonlySet<Unit>): readonly Unit[] {
  return unitsOf(plan).filter(unit => !touched.has(unit))
}

/** What a plan may show of other programs. */
export interface Foreign {
  readonly touched: ReadonlySet<Unit>
  readonly unknown: ReadonlySet<Unit>
  /** All units were compared, or some that were in doubt. */
  readonly isChecked: boolean
  /** Foreign rules were asked for. */
  readonly hasAsked: boolean
  readonly blocked: ReadonlyMap<Unit, string>
}

/** Of the units to delete, those that foreign rules jump to. */
export async function blockedIn(
  { remove }: Plan,
  mode: Mode,
  { kernel, dump }: { readonly kernel: Kernel; readonly dump?: RulesetDump | undefined },
): Promise<ReadonlyMap<Unit, string>> {
  if (remove.size === 0 || mode.foreignRules === undefined) return new Map()
  const foreignRules = await mode.foreignRules(kernel, dump && { dump, units: remove })
  return new Map([...foreignRules].filter(([unit]) => remove.has(unit)))
}
