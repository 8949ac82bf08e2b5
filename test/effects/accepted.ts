import { expect } from 'vitest'
import { KINDS, type KindName } from '#config/table/kinds.ts'
import type { Setting } from '#config/table/setting.ts'
import { accepted } from '../config/parsing.ts'
import type { Effect } from './effect.ts'
import type { Given } from './rules.ts'

// A setting without meaning here → its effect: one line that says so and why, and nothing else.

/** What an operator might ask for, other than the default. */
const ASKED: Partial<Record<KindName, string>> = {
  text: 'elsewhere',
  switch: 'true',
  duration: '77s',
  flush: '77s',
  int: '77',
  float: '7.5',
  quantity: '77Ki',
}

export function oneWarning(setting: Setting): Effect {
  return async () => {
    const [reason, ways] = [setting.noEffect!, waysToAsk(setting)]
    expect(ways).not.toEqual([])
    for (const { without, asked } of ways) {
      const [plain, got] = [await accepted(without), await accepted(asked)]
      expect(got.settings).toEqual(plain.settings)
      const more = got.warnings.filter(line => !plain.warnings.includes(line))
      expect(more).toEqual([expect.stringMatching(/ has no effect: /)])
      expect(more[0]).toContain(setting.flag ?? setting.field)
      expect(more[0]!.endsWith(reason)).toBe(true)
    }
  }
}

function waysToAsk({ flag, field, kind, initial }: Setting): readonly { without: Given; asked: Given }[] {
  const text = flag === 'show-hidden-metrics-for-version' ? '1.35' : initial === true ? 'false' : ASKED[kind]!
  const value = KINDS[kind].toFile(KINDS[kind].fromText(text)!)
  return [
    ...(flag === undefined ? [] : [{ without: {}, asked: { argv: [`--${flag}=${text}`] } }]),
    ...(field === undefined ? [] : [{ without: { file: '' }, asked: { file: nested(field.split('.'), value) } }]),
  ]
}

/** `a.b` and a value → a: {b: value} */
function nested(path: readonly string[], value: unknown): string {
  const [first, ...rest] = path as [string, ...string[]]
  const inner = rest.reduceRight<unknown>((all, key) => ({ [key]: all }), value)
  return `${first}: ${JSON.stringify(inner)}\n`
}
