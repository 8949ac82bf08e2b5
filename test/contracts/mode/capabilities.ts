import { expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { touchOf } from '#lab/paper/ruleset-watch.ts'
import { LINGERING, type Mode, type Plan, type Ruleset, type Unit } from '#proxy/modes/mode.ts'
import { Book } from '#proxy/plan/book.ts'
import { applied, diff, EMPTY } from '#proxy/plan/diff.ts'
import { carryOut } from '#proxy/sync/carry-out.ts'
import { Sync } from '#proxy/sync/sync.ts'
import type { Command, Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { unitText } from '../../support/units.ts'
import { MODE_CASES } from './cases.ts'
import { rulesOf } from './scene.ts'

// What a mode promises of the kernel it writes to: what it writes is what it reads, and of what only some modes can, that it
// really can.

/** A kernel without rules, and other programs on it. */
export interface ModeWorld {
  readonly kernel: Kernel
  /** Units that stay when all others go. */
  readonly stays?: (unit: Unit) => boolean
  /** Makes a foreign rule that jumps to this unit, and returns what deletes it again; undefined where none can. */
  readonly holder?: (unit: Unit) => Promise<() => Promise<void>>
  /** How the kernel reports a change of our rules, and one that is no concern of ours. */
  readonly touches?: { readonly ours: string; readonly others: string }
}

export function capabilityCases(modeOf: (family: Family) => Mode, worldOf: (family: Family) => ModeWorld): void {
  for (const family of ['ipv4', 'ipv6'] as const) {
    test(`${family}: what is written is what is read, from one state to the next and back to nothing`, async () => {
      const [mode, { kernel, stays = () => false }] = [modeOf(family), worldOf(family)]
      let installed: Ruleset = EMPTY
      for (const { given, title } of MODE_CASES) {
        const rules = rulesOf(mode, family, given)
        installed = await written(mode, kernel, { installed, rules })
        expect(sorted(await mode.read(kernel)), title).toEqual(sorted(installed))
        expect(sorted(installed), title).toEqual(sorted(rules))
      }
      await written(mode, kernel, { installed, rules: EMPTY })
      expect([...(await mode.read(kernel)).keys()].filter(unit => !stays(unit))).toEqual([])
    })
  }

  // What a mode does not say it can is no case for it.
  const mode = modeOf('ipv4')
  const [first] = MODE_CASES

  if (mode.emptied !== undefined)
    test('what can only be emptied is deleted by the next plan', async () => {
      const { kernel } = worldOf('ipv4')
      const rules = rulesOf(mode, 'ipv4', first!.given)
      const [base, more] = [rulesOf(mode, 'ipv4', { endpoints: [] }), rules]
      await written(mode, kernel, { installed: EMPTY, rules: more })
      const plan = diff(more, base)
      const emptied = mode.emptied!(plan)
      await carryOut(plan, mode, kernel)
      expect([...emptied].filter(unit => !plan.remove.has(unit))).toEqual([])
      const left = diff(await mode.read(kernel), base)
      expect([...left.remove].sort()).toEqual([...emptied].sort())
      await carryOut(left, mode, kernel)
      expect(sorted(await mode.read(kernel))).toEqual(sorted(base))
    })

  if (mode.foreignRules !== undefined)
    test('a unit that a foreign rule jumps to is reported, and goes with that rule', async () => {
      const { kernel, holder } = worldOf('ipv4')
      const sync = new Sync(mode, kernel, { clock: new PaperClock() })
      const book = new Book()
      const rules = rulesOf(mode, 'ipv4', first!.given)
      book.put(
        'shop/web',
        [...rules].map(([unit, text]) => ({ unit, text })),
      )
      await sync.run(book)
      const unit = [...rules.keys()].findLast(unit => isWholePart(mode, unit))!
      const removeHolder = await holder!(unit)
      book.remove('shop/web')
      expect((await sync.run(book)).blocked.map(({ unit }) => unit)).toEqual([unitText(unit)])
      expect((await mode.read(kernel)).get(unit)).toBe('')
      await removeHolder()
      sync.forget()
      await sync.run(book)
      expect((await mode.read(kernel)).has(unit)).toBe(false)
    })

  if (mode.watches !== undefined)
    test('a change by another program is heard, and one of ours is known as such', async () => {
      const { touches } = worldOf('ipv4')
      const { author, concerns } = mode.watches!
      expect(concerns(touchOf(touches!.ours))).not.toBe('nothing')
      expect(concerns(touchOf(touches!.others))).toBe('nothing')
      const rules = rulesOf(mode, 'ipv4', first!.given)
      const plan: Plan = diff(EMPTY, rules)
      const commands = mode.write(plan)
      expect(commands.filter(command => author(command) !== undefined).length).toBeGreaterThan(0)
      const looks: Command[] = []
      const asked: Kernel = {
        run: async command => {
          looks.push(command)
          return { code: 127, stdout: '', stderr: '' }
        },
      }
      await mode.read(asked).catch(() => {})
      expect(looks.length).toBeGreaterThan(0)
      expect(looks.filter(command => author(command) !== undefined)).toEqual([])
    })
}

function isWholePart({ watches }: Mode, unit: Unit): boolean {
  const part = watches?.parts?.of(unit)
  return part !== undefined && watches?.parts?.unitOf(part) === unit
}

interface Step {
  readonly installed: Ruleset
  readonly rules: Ruleset
}

/** What could only be emptied is deleted at once. */
async function written(mode: Mode, kernel: Kernel, { installed, rules }: Step): Promise<Ruleset> {
  const plan = diff(installed, rules)
  const left = mode.emptied?.(plan) ?? new Set()
  await carryOut(plan, mode, kernel)
  await carryOut({ ...diff(EMPTY, EMPTY), remove: left }, mode, kernel)
  return applied(new Map(installed), plan)
}

/** What lingers is not made where it is not there. */
function sorted(rules: Ruleset): readonly string[] {
  return [...rules]
    .filter(([, text]) => text !== LINGERING)
    .map(([unit, text]) => `${unitText(unit)}: ${text}`)
    .sort()
}
