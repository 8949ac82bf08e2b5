import { describe, expect, test } from 'vitest'
import type { Mode } from '#proxy/modes/mode.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import { type Fate, fateOf, sameFate } from '../support/fate.ts'
import { capabilityCases, type ModeWorld } from './mode/capabilities.ts'
import { MODE_CASES, type ModeCase } from './mode/cases.ts'
import { endIn, packetIn, rulesOf } from './mode/scene.ts'

// What every mode promises, as cases: packets traced through the rules a mode has written, in both families, and rules written to
// a kernel.

export interface ModeContract {
  readonly modeOf: (family: Family) => Mode
  readonly worldOf: (family: Family) => ModeWorld
  /** The title of a case, or `ipv4: ` and the title → why this mode cannot pass it. */
  readonly exceptions?: Readonly<Record<string, string>>
  /** The second connection is the node's own: the endpoint sees the node's address. */
  readonly isRelayed?: true
}

export function modeContract(name: string, contract: ModeContract): void {
  const { modeOf, worldOf, exceptions = {} } = contract
  describe(`${name}: the mode contract`, () => {
    describe.each(FAMILIES)('in %s', family => {
      for (const one of MODE_CASES) {
        const reason = exceptions[one.title] ?? exceptions[`${family}: ${one.title}`]
        if (reason !== undefined) test.fails(`${one.title} (cannot: ${reason})`, () => passes(one, contract, family))
        else test(one.title, () => passes(one, contract, family))
      }
    })

    test('every exception names a case', () => {
      const titles = MODE_CASES.flatMap(({ title }) => [title, ...FAMILIES.map(family => `${family}: ${title}`)])
      expect(Object.keys(exceptions).filter(title => !titles.includes(title))).toEqual([])
    })

    capabilityCases(modeOf, worldOf)
  })
}

function passes({ given, expects }: ModeCase, { modeOf, isRelayed }: ModeContract, family: Family): void {
  const mode = modeOf(family)
  const rules = rulesOf(mode, family, given)
  for (const [packet, ...ends] of expects) {
    const found = fateOf(mode.trace(rules, packetIn(family, packet)))
    const endOf = (end: string): string => (isRelayed ? masqueraded(endIn(family, end)) : endIn(family, end))
    const wanted: Fate = new Map(ends.map(end => [endOf(end), 1 / ends.length]))
    if (sameFate(found, wanted)) continue
    expect(Object.fromEntries(found), `where this goes: ${JSON.stringify(packet)}`).toEqual(Object.fromEntries(wanted))
  }
}

function masqueraded(end: string): string {
  return /:\d+$/.test(end) ? `${end} masqueraded` : end
}
