import { describe, expect, test } from 'vitest'
import { type KeptFor, keptBelief, keptLine, keptNames, keptSection, START } from '#proxy/sync/belief/kept.ts'
import { hash16, textNumber } from '#values/digest.ts'
import { part, ruleset, unit } from '../../../support/units.ts'

const FOR: KeptFor = { generation: 4711, identity: ['v1', 'boot', 'net:[4026531840]', 'iptables'] }
const UNITS = ruleset({
  'nat KUBE-SERVICES': '-A KUBE-SERVICES -j RETURN',
  'nat KUBE-SEP-A': '',
  'nat -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES': '',
})
const PRINTS = new Map([
  [part('nat KUBE-SERVICES'), 0x1f_ffff_ffff_ffff % 2 ** 52],
  [part('nat PREROUTING'), 0],
])
const LINES = [...keptNames(UNITS, PRINTS)].map(name => keptLine(name, UNITS, PRINTS))
const FIRST = keptSection(LINES, FOR, START)
const TEXT = FIRST.text
const NUMBERS = new Map([...UNITS].map(([unit, text]) => [unit, textNumber(text)]))

describe('a kept belief', () => {
  test('is read back as units with numbers of their texts, and parts with their fingerprints', () => {
    const { end } = FIRST
    expect(keptBelief(TEXT, FOR.identity)).toEqual({ generation: 4711, units: NUMBERS, prints: PRINTS, end })
    const nothing = keptSection([], { ...FOR, generation: undefined }, START)
    const found = { generation: undefined, units: new Map(), prints: new Map(), end: nothing.end }
    expect(keptBelief(nothing.text, FOR.identity)).toEqual(found)
  })

  test('is of no worth in another boot, network, mode or version', () => {
    for (let i = 0; i < FOR.identity.length; i++) {
      expect(keptBelief(TEXT, FOR.identity.with(i, 'other'))).toBeUndefined()
    }
    expect(keptBelief(TEXT, [...FOR.identity, 'more'])).toBeUndefined()
  })

  test('is of no worth where a single byte is another, missing, or too many', () => {
    for (const { broken, at } of brokenAnywhere(TEXT)) {
      expect(keptBelief(broken, FOR.identity), `at ${at}: ${broken}`).toBeUndefined()
    }
    for (const text of ['', '\n', `x${TEXT}`]) expect(keptBelief(text, FOR.identity)).toBeUndefined()
  })

  test('is of no worth where it is whole and makes no sense', () => {
    const forged = (body: string): string => `${body}${hash16(`${START.digest}\n${body}`)}\n`
    const [head, ...rest] = TEXT.split('\n') as [string, ...string[]]
    const lines = rest.slice(0, LINES.length)
    for (const body of [
      [head.replace('"lines":4', '"lines":3'), ...lines, ''],
      [head.replace('"lines":4', '"lines":5'), ...lines, ''],
      [head.replace('4711', '"4711"'), ...lines, ''],
      [head.replace('4711', '04711'), ...lines, ''],
      ['', ...lines, ''],
    ]) {
      expect(keptBelief(forged(body.join('\n')), FOR.identity)).toBeUndefined()
    }
    expect(keptBelief(forged([head, ...lines, ''].join('\n')), FOR.identity)).toBeDefined()
  })
})

describe('what is added to a kept belief', () => {
  const units = new Map([...UNITS, [unit('nat KUBE-SEP-B'), '-A KUBE-SEP-B -j RETURN']])
  units.delete(unit('nat KUBE-SEP-A'))
  const prints = new Map([
    [part('nat KUBE-SERVICES'), 5],
    [part('nat KUBE-SEP-B'), 6],
  ])
  const names = ['nat KUBE-SEP-A', 'nat KUBE-SEP-B', 'nat KUBE-SERVICES', 'nat PREROUTING']
  const lines = names.map(name => keptLine(name, units, prints))
  const second = keptSection(lines, { ...FOR, generation: 4712 }, FIRST.end)
  const whole = {
    generation: 4712,
    units: new Map([...units].map(([unit, text]) => [unit, textNumber(text)])),
    prints,
    end: { digest: expect.any(String), lines: 8 },
  }
  const before = { generation: undefined, units: NUMBERS, prints: PRINTS, end: undefined }

  test('replaces, adds and takes away', () => {
    expect(keptBelief(TEXT + second.text, FOR.identity)).toEqual(whole)
    const third = keptSection([], { ...FOR, generation: 4713 }, second.end)
    expect(keptBelief(TEXT + second.text + third.text, FOR.identity)).toEqual({ ...whole, generation: 4713 })
  })

  test('counts only whole: where it is torn or broken, what was before is true of its parts, and no commit is', () => {
    for (const { broken, at } of brokenAnywhere(second.text)) {
      // Nothing at all was added yet.
      if (broken === '') continue
      expect(keptBelief(TEXT + broken, FOR.identity), `at ${at}`).toEqual(before)
    }
  })

  test('counts only after what it was added to', () => {
    expect(keptBelief(second.text, FOR.identity)).toBeUndefined()
    expect(keptBelief(TEXT + TEXT, FOR.identity)).toEqual(before)
    expect(keptBelief(TEXT + second.text + second.text, FOR.identity)).toEqual({
      ...whole,
      generation: undefined,
      end: undefined,
    })
  })
})

function* brokenAnywhere(text: string) {
  for (let at = 0; at < text.length; at++) {
    const [before, after] = [text.slice(0, at), text.slice(at + 1)]
    const byte = String.fromCharCode(text.charCodeAt(at) ^ 1)
    for (const broken of [before + byte + after, before + after, `${before}x${text.slice(at)}`, before]) {
      yield { broken, at }
    }
  }
}
