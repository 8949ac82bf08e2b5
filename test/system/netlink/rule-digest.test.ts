import { describe, expect, test } from 'vitest'
import { attribute, textAttribute } from '#system/netlink/message.ts'
import { RuleDigest } from '#system/netlink/rule-digest.ts'

// Rules as the kernel sends them → a number.

const HEADER = Buffer.from([2, 0, 0, 0])
const expression = (name: string, ...values: readonly number[]): Buffer =>
  attribute(1, Buffer.concat([textAttribute(1, name), attribute(2, Buffer.from(values))]))
const rule = (handle: number, expressions: readonly Buffer[], comment = ''): Buffer =>
  Buffer.concat([
    HEADER,
    textAttribute(1, 'nat'),
    textAttribute(2, 'KUBE-SVC-A'),
    attribute(3, Buffer.from([0, 0, 0, handle])),
    attribute(4, Buffer.concat(expressions)),
    ...(comment === '' ? [] : [attribute(7, Buffer.from(comment))]),
  ])
const digest = (...rules: readonly Buffer[]): number => {
  const one = new RuleDigest()
  for (const body of rules) one.rule(body)
  return one.value
}

const MATCH = expression('match', 1, 2, 3, 4, 5, 6, 7)
const COUNTER = expression('counter', 0, 0, 0, 9)
const JUMP = expression('immediate', 8, 8)

describe('the digest of rules', () => {
  test('is the same for the same rules, whatever their handles and counters', () => {
    const before = digest(rule(1, [MATCH, COUNTER, JUMP]), rule(2, [JUMP], 'shop/cart'))
    const later = digest(rule(7, [MATCH, expression('counter', 9, 9, 9, 9, 9, 9), JUMP]), rule(8, [JUMP], 'shop/cart'))
    expect(later).toBe(before)
    expect(Number.isSafeInteger(before)).toBe(true)
  })

  test('is another where a rule, an expression, a comment or their order is', () => {
    const rules = [rule(1, [MATCH, COUNTER, JUMP]), rule(2, [JUMP], 'shop/cart')] as const
    const others = [
      [],
      [rules[0]],
      [rules[1], rules[0]],
      [rules[0], rules[1], rules[1]],
      [rule(1, [MATCH, JUMP]), rules[1]],
      [rule(1, [COUNTER, MATCH, JUMP]), rules[1]],
      [rule(1, [MATCH, COUNTER]), rule(2, [JUMP, JUMP], 'shop/cart')],
      [rules[0], rule(2, [JUMP], 'shop/card')],
      [rules[0], rule(2, [JUMP])],
    ]
    const values = [rules, ...others].map(all => digest(...all))
    expect(new Set(values).size).toBe(values.length)
  })

  test('is another for each bit that is', () => {
    const bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    const of = (values: readonly number[]): number => digest(rule(1, [expression('match', ...values), JUMP]))
    const flipped = bytes.flatMap((byte, i) => Array.from({ length: 8 }, (_, bit) => bytes.with(i, byte ^ (1 << bit))))
    expect(new Set([bytes, ...flipped].map(of)).size).toBe(81)
  })

  test('is spread over all it can be: of a hundred thousand similar rules no two have the same', () => {
    const found = new Set<number>()
    let high = 0
    for (let i = 0; i < 100_000; i++) {
      const value = digest(rule(1, [expression('match', i & 255, (i >> 8) & 255, i >> 16, 0), JUMP]))
      found.add(value)
      if (value >= 2 ** 52) high++
    }
    expect(found.size).toBe(100_000)
    expect(high / 100_000).toBeCloseTo(0.5, 1)
  })
})
