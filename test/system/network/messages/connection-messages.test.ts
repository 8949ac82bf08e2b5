import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressBytes } from '#system/netlink/address-bytes.ts'
import { attribute, attributesIn, nest } from '#system/netlink/message.ts'
import { deletionsOf, listConnections } from '#system/network/messages/connection-messages.ts'
import type { Address } from '#values/address.ts'
import { ip } from '../../../support/objects.ts'
import { contentOf } from './content.ts'

// Which connections are asked for and deleted when an address gets a new owner.

const NESTED = 0x8000
const ID = attribute(12, Buffer.from([1, 2, 3, 4]))

function tuple(type: number, [from, to]: readonly [Address, Address]): Buffer {
  const first = from.includes(':') ? 3 : 1
  const addresses = nest(1 | NESTED, [attribute(first, addressBytes(from)), attribute(first + 1, addressBytes(to))])
  return nest(type | NESTED, [addresses, nest(2 | NESTED, [attribute(1, Buffer.from([6]))])])
}

interface Tracked {
  readonly original: readonly [Address, Address]
  readonly reply: readonly [Address, Address]
}

/** As the kernel lists it, with more in it than a deletion needs. */
function bodyOf({ original, reply }: Tracked, ...more: readonly Buffer[]): Buffer {
  const header = Buffer.from([original[0].includes(':') ? 10 : 2, 0, 0, 0])
  const timeout = attribute(7, Buffer.from([0, 0, 0, 9]))
  return Buffer.concat([header, tuple(1, original), tuple(2, reply), timeout, ID, ...more])
}

describe('a connection is deleted', () => {
  const [POD, OTHER, SERVICE, NODE] = ['10.244.0.5', '10.244.0.6', '10.96.0.1', '192.0.2.1'].map(text => ip(text)) as [
    ...[Address, Address, Address, Address],
  ]
  const deletions = deletionsOf([POD])

  test('where the address began it, whatever it was sent to, and where it answers, whatever was asked', () => {
    const began = { original: [POD, SERVICE], reply: [OTHER, NODE] } as const
    const answers = { original: [OTHER, SERVICE], reply: [POD, OTHER] } as const
    const other = { original: [OTHER, POD], reply: [OTHER, POD] } as const
    expect([began, answers, other].map(one => deletions(bodyOf(one)).length)).toEqual([1, 1, 0])
  })

  test('by what it was at first, its zone and its number, and nothing else', () => {
    const zone = attribute(18, Buffer.from([0, 7]))
    const one = { original: [POD, SERVICE], reply: [OTHER, NODE] } as const
    const [plain] = deletions(bodyOf(one))
    const [zoned] = deletions(bodyOf(one, zone))
    expect(plain).toMatchObject({ type: 0x102, header: Buffer.from([2, 0, 0, 0]) })
    // The kernel takes the tuple without the bit that says it holds attributes, too.
    const original = attribute(1, [...attributesIn(tuple(1, one.original), 0)][0]![1])
    expect(Buffer.concat(plain!.attributes!)).toEqual(Buffer.concat([original, ID]))
    expect(Buffer.concat(zoned!.attributes!)).toEqual(Buffer.concat([original, zone, ID]))
  })

  test('with bytes of its own: the message it was found in is written over by the next', () => {
    const body = bodyOf({ original: [POD, SERVICE], reply: [SERVICE, POD] })
    const [found] = deletions(body)
    const before = contentOf(found!)
    body.fill(0xff)
    expect(contentOf(found!)).toEqual(before)
  })

  test('just where one of the addresses is the source of either direction', () => {
    const hosts = fc.integer({ min: 1, max: 5 })
    const both = fc.constantFrom('10.0.0.', 'fd00::')
    fc.assert(
      fc.property(
        both,
        fc.tuple(hosts, hosts, hosts, hosts),
        fc.uniqueArray(hosts, { minLength: 1 }),
        (prefix, ends, of) => {
          const [a, b, c, d] = ends.map(n => ip(`${prefix}${n}`)) as [Address, Address, Address, Address]
          const isStale = of.includes(ends[0]) || of.includes(ends[2])
          const found = deletionsOf(of.map(n => ip(`${prefix}${n}`)))(bodyOf({ original: [a, b], reply: [c, d] }))
          expect(found).toHaveLength(isStale ? 1 : 0)
        },
      ),
    )
  })

  test('never where the message is cut off before its source', () => {
    const body = bodyOf({ original: [POD, SERVICE], reply: [SERVICE, NODE] })
    for (let length = 4; length < body.length; length++) {
      expect(deletions(body.subarray(0, length)).length).toBe(length < 4 + tuple(1, [POD, SERVICE]).length ? 0 : 1)
    }
  })
})

describe('connections are asked for', () => {
  const some = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => ip(`${prefix}${i + 1}`))

  test('by each address and direction where there are few, and all at once where there are more', () => {
    expect([1, 2, 3].map(count => listConnections('ipv4', some(count, '10.0.0.')).length)).toEqual([2, 4, 1])
    const all = { type: 0x101, header: Buffer.from([2, 0, 0, 0]) }
    expect(listConnections('ipv4', some(3, '10.0.0.'))).toEqual([all])
  })

  test('all at once in IPv6, whose filter lists the others', () => {
    expect(listConnections('ipv6', some(1, 'fd00::'))).toEqual([{ type: 0x101, header: Buffer.from([10, 0, 0, 0]) }])
  })

  test('by the source of the first packet, and by that of the answer', () => {
    const filters = listConnections('ipv4', some(1, '10.0.0.')).map(one => contentOf(one).attributes)
    const source = '0c000100080001000a000001'
    expect(filters).toEqual([
      [`1=${source}`, '25=0800010001000000'],
      ['25=0800020001000000', `2=${source}`],
    ])
  })
})
