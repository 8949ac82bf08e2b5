import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  attribute,
  attributesIn,
  linkNameOf,
  message,
  messagesIn,
  REQUEST,
  textAttribute,
  textOf,
} from '#system/netlink/message.ts'

const bytes = fc.uint8Array({ maxLength: 40 }).map(part => Buffer.from(part))
const number = fc.integer({ min: 0, max: 0x3fff })

test('what is written is read: messages one after another, each with its attributes', () => {
  const parts = fc.record({
    type: fc.integer({ min: 0, max: 0xffff }),
    sequence: fc.nat(),
    header: fc.uint8Array({ minLength: 4, maxLength: 4 }).map(part => Buffer.from(part)),
    attributes: fc.array(fc.tuple(number, bytes), { maxLength: 5 }),
  })
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 4 }), written => {
      const datagram = Buffer.concat(
        written.map(one =>
          message({
            ...one,
            flags: REQUEST,
            attributes: one.attributes.map(([type, value]) => attribute(type, value)),
          }),
        ),
      )
      const read = [...messagesIn(datagram)].map(({ type, sequence, body }) => ({
        type,
        sequence,
        header: Buffer.from(body.subarray(0, 4)),
        attributes: [...attributesIn(body, 4)].map(([kind, value]) => [kind, Buffer.from(value)] as const),
      }))
      expect(read).toEqual(written)
    }),
  )
})

test('a text has its closing zero on the way out, and none on the way in', () => {
  const [[type, value] = [0, Buffer.alloc(0)]] = [...attributesIn(textAttribute(3, 'KUBE-SERVICES'), 0)]
  expect([type, value.length, textOf(value)]).toEqual([3, 14, 'KUBE-SERVICES'])
  expect(linkNameOf(Buffer.from('brücke\0'))).toBe('brücke')
  expect([linkNameOf(Buffer.from('lo')), linkNameOf(Buffer.of()), linkNameOf(undefined)]).toEqual(['lo', '', ''])
})

test('bytes that are cut off, or whose lengths lie, end the reading and throw nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), noise => {
      for (const { body } of messagesIn(Buffer.from(noise))) expect([...attributesIn(body, 0)]).toBeInstanceOf(Array)
    }),
  )
  const whole = message({ type: 1, flags: 0, sequence: 1, header: Buffer.alloc(4) })
  expect([...messagesIn(whole.subarray(0, whole.length - 1))]).toEqual([])
})
