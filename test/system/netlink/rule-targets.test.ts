import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attribute, nest, textAttribute } from '#system/netlink/message.ts'
import { targetsOf, valueAt, verdictOf } from '#system/netlink/rule-targets.ts'

// Rules as the kernel lists them, made here as linux/netfilter/nf_tables.h says.

const NESTED = 0x8000
const code = (number: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(number)
  return attribute(1, bytes)
}
const [JUMP, GOTO, DROP] = [-3, -4, 0]

function verdict(number: number, chain?: string): Buffer {
  return nest(2 | NESTED, [code(number), ...(chain === undefined ? [] : [textAttribute(2, chain)])])
}

function expression(name: string, ...data: readonly Buffer[]): Buffer {
  return nest(1 | NESTED, [textAttribute(1, name), nest(2 | NESTED, data)])
}

const immediate = (number: number, chain?: string) =>
  expression('immediate', attribute(1, Buffer.from([0, 0, 0, 0])), nest(2 | NESTED, [verdict(number, chain)]))

function rule(...expressions: readonly Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from([2, 0, 0, 1]),
    textAttribute(1, 'nat'),
    textAttribute(2, 'KUBE-SERVICES'),
    nest(4 | NESTED, expressions),
    attribute(7, Buffer.from('immediate')),
  ])
}

describe('the chains that a rule leads to', () => {
  test('are those it jumps or goes to, whatever stands before', () => {
    const match = expression('cmp', attribute(1, Buffer.from([0, 0, 0, 1])))
    const counter = expression('counter', attribute(1, Buffer.alloc(8)))
    expect(targetsOf(rule(match, counter, immediate(JUMP, 'KUBE-SVC-A')))).toEqual(['KUBE-SVC-A'])
    expect(targetsOf(rule(immediate(GOTO, 'a'), immediate(JUMP, 'b')))).toEqual(['a', 'b'])
  })

  test('are none where it ends in a verdict, writes a value, or looks one up', () => {
    expect(targetsOf(rule(immediate(DROP)))).toEqual([])
    expect(targetsOf(rule(expression('immediate', nest(2 | NESTED, [attribute(1, Buffer.from('chain'))]))))).toEqual([])
    expect(targetsOf(rule(expression('lookup', nest(2 | NESTED, [verdict(JUMP, 'a')]))))).toEqual([])
    expect(targetsOf(rule())).toEqual([])
  })

  test('of a rule that is cut off are those that stand whole in it, and nothing is thrown', () => {
    const whole = rule(immediate(JUMP, 'KUBE-SVC-A'))
    const lengths = Array.from({ length: whole.length }, (_, i) => targetsOf(whole.subarray(0, i)).length)
    expect(lengths.indexOf(1)).toBeGreaterThan(whole.length - 20)
    expect(lengths.slice(0, lengths.indexOf(1)).every(length => length === 0)).toBe(true)
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const changed = Buffer.from(whole)
        changed[at] = byte
        for (const target of targetsOf(changed)) expect(target.length).toBeLessThanOrEqual(whole.length)
      }),
    )
  })
})

test('a verdict has a signed code, and a chain where it leads to one', () => {
  expect(verdictOf(verdict(JUMP, 'a').subarray(4))).toEqual({ code: -3, chain: 'a' })
  expect(verdictOf(verdict(1).subarray(4))).toEqual({ code: 1, chain: undefined })
  expect(verdictOf(Buffer.of())).toBeUndefined()
  expect(verdictOf(attribute(1, Buffer.from([0])))).toBeUndefined()
})

test('a value is found by the types of what it stands in, and the first of its type counts', () => {
  const nested = nest(1, [nest(2, [attribute(3, Buffer.from('x')), attribute(3, Buffer.from('y'))])])
  expect(String(valueAt(nested, 1, 2, 3))).toBe('x')
  expect(valueAt(nested, 1, 3)).toBeUndefined()
  expect(valueAt(nested, 9, 2, 3)).toBeUndefined()
  expect(valueAt(nested)).toBe(nested)
})
