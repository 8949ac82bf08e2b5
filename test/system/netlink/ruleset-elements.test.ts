import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attribute, nest, textAttribute } from '#system/netlink/message.ts'
import { elementsIn } from '#system/netlink/ruleset-elements.ts'

// Elements as the kernel lists them, made here as linux/netfilter/nf_tables.h says.

const NESTED = 0x8000
const KEY = Buffer.from([10, 96, 0, 1])

function body(...elements: readonly (readonly Buffer[])[]): Buffer {
  const list = elements.map(parts => nest(1 | NESTED, parts))
  return Buffer.concat([
    Buffer.from([2, 0, 0, 1]),
    textAttribute(1, 'kube-proxy'),
    textAttribute(2, 'm'),
    nest(3 | NESTED, list),
  ])
}

const key = (bytes = KEY) => nest(1 | NESTED, [attribute(1, bytes)])
const value = (bytes: Buffer) => nest(2 | NESTED, [attribute(1, bytes)])
function verdict(code: number, chain?: string): Buffer {
  const number = Buffer.alloc(4)
  number.writeInt32BE(code)
  const parts = [attribute(1, number), ...(chain === undefined ? [] : [textAttribute(2, chain)])]
  return nest(2 | NESTED, [nest(2 | NESTED, parts)])
}
/** nft's: a type, a length and a value, one behind the other. */
const userData = (...parts: readonly (readonly [type: number, text: string])[]) =>
  attribute(6, Buffer.concat(parts.map(([type, text]) => Buffer.from([type, text.length, ...Buffer.from(text)]))))

const elements = (of: Buffer) => [...elementsIn(of)]

describe('an element', () => {
  test('of a set is its key', () => {
    expect(elements(body([key()], [key(Buffer.from([1]))]))).toEqual([{ key: KEY }, { key: Buffer.from([1]) }])
  })

  test('of a map has a value, or what happens to a packet', () => {
    const address = Buffer.from([10, 1, 1, 1])
    expect(elements(body([key(), value(address)]))).toEqual([{ key: KEY, value: address }])
    const words = [[-4, 'a'], [-3, 'b'], [-5], [-1], [0], [1], [7]].map(
      ([code, chain]) => elements(body([key(), verdict(code as number, chain as string)]))[0]?.value,
    )
    expect(words).toEqual(['goto a', 'jump b', 'return', 'continue', 'drop', 'accept', 'verdict 7'])
  })

  test('has its comment, wherever it stands among what nft keeps with it', () => {
    const comment = (...parts: readonly (readonly [number, string])[]) =>
      elements(body([key(), userData(...parts)]))[0]?.comment
    expect(comment([0, 'shop/cart\0'])).toBe('shop/cart')
    expect(comment([1, 'xx'], [0, 'shop/cart\0'])).toBe('shop/cart')
    expect(comment([0, '\0'])).toBe('')
    expect(comment([1, 'xx'])).toBeUndefined()
    expect(comment()).toBeUndefined()
  })

  test('has a comment that ends where its bytes end, whatever length it says', () => {
    const lying = attribute(6, Buffer.from([0, 255, ...Buffer.from('cart')]))
    expect(elements(body([key(), lying]))[0]?.comment).toBe('cart')
    const endless = attribute(6, Buffer.from([1, 255, 0, 1]))
    expect(elements(body([key(), endless]))[0]).toEqual({ key: KEY })
  })

  test('has bytes of its own: those of the socket are used for the next message', () => {
    const message = body([key(), value(Buffer.from([1, 2, 3, 4]))])
    const found = elements(message)
    message.fill(0xff)
    expect(found).toEqual([{ key: KEY, value: Buffer.from([1, 2, 3, 4]) }])
  })
})

test('a message that is cut off has the elements that stand whole in it; bytes that are wrong throw nothing', () => {
  const whole = body([key(), verdict(-4, 'a'), userData([0, 'x\0'])], [key(), value(KEY)])
  expect(elements(whole)).toHaveLength(2)
  for (let length = 0; length < whole.length; length++) {
    expect(elements(whole.subarray(0, length)).length).toBeLessThanOrEqual(2)
  }
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })), { maxLength: 4 }),
      changes => {
        const changed = Buffer.from(whole)
        for (const [at, byte] of changes) changed[at] = byte
        for (const element of elements(changed)) expect(Buffer.isBuffer(element.key)).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})
