import { describe, expect, test } from 'vitest'
import type { Mode } from '#proxy/modes/mode.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import { type Fate, fateOf, sameFate } from '../support/fate.ts'
import { MODE_CASES, type ModeCase } from './mode/cases.ts'
import { endIn, packetIn, rulesOf } from './mode/scene.ts'

// What every mode promises, as cases: packets traced through the rules a mode has written, in both families.

/** `exceptions`: the title of a case, or `ipv4: ` and the title → why this mode cannot pass it. */
export function modeContract(
  name: string,
  modeOf: (family: Family) => Mode,
  exceptions: Readonly<Record<string, string>> = {},
): void {
  describe(`${name}: the mode contract`, () => {
    describe.each(FAMILIES)('in %s', family => {
      for (const one of MODE_CASES) {
        const reason = exceptions[one.title] ?? exceptions[`${family}: ${one.title}`]
        if (reason !== undefined)
          test.fails(`${one.title} (cannot: ${reason})`, () => passes(one, modeOf(family), family))
        else test(one.title, () => passes(one, modeOf(family), family))
      }
    })

    test('every exception names a case', () => {
      const titles = MODE_CASES.flatMap(({ title }) => [title, ...FAMILIES.map(family => `${family}: ${title}`)])
      expect(Object.keys(exceptions).filter(title => !titles.includes(title))).toEqual([])
    })
  })
}

function passes({ given, expects }: ModeCase, mode: Mode, family: Family): void {
  const rules = rulesOf(mode, family, given)
  for (const [packet, ...ends] of expects) {
    const found = fateOf(mode.trace(rules, packetIn(family, packet)))
    const wanted: Fate = new Map(ends.map(end => [endIn(family, end), 1 / ends.length]))
    if (sameFate(found, wanted)) continue
    expect(Object.fromEntries(found), `where this goes: ${JSON.stringify(packet)}`).toEqual(Object.fromEntries(wanted))
  }
}
