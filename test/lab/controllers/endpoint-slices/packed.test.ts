import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EndpointSlice } from '#lab/client/objects.ts'
import type { Endpoint, EndpointGroup } from '#lab/controllers/endpoint-slices/endpoints.ts'
import { MOST, packed } from '#lab/controllers/endpoint-slices/packed.ts'

function endpoint(address: string, ready = true): Endpoint {
  return { addresses: [address], conditions: { ready } }
}

function groupOf(...endpoints: readonly Endpoint[]): EndpointGroup {
  const byAddress = new Map(endpoints.map(it => [it.addresses[0]!, it]))
  return { addressType: 'IPv4', ports: [], endpoints: byAddress }
}

function sliceOf(name: string, endpoints: readonly Endpoint[]): EndpointSlice {
  return { metadata: { name }, addressType: 'IPv4', endpoints } as unknown as EndpointSlice
}

/** `from` and as many after it as there are to be. */
function many(count: number, from = 0): readonly Endpoint[] {
  return Array.from({ length: count }, (_, index) => endpoint(`10.0.${from + index}.1`))
}

/** Name, number of endpoints, and a star where it is written. */
function shown(...[group, slices]: Parameters<typeof packed>): readonly string[] {
  return packed(group, slices).slices.map(
    ({ slice, endpoints, isChanged }) => `${slice?.metadata.name ?? 'new'} ${endpoints.length}${isChanged ? '*' : ''}`,
  )
}

test('a new endpoint comes into a slice that is written at any rate, though another is fuller', () => {
  const slices = [sliceOf('full', many(90)), sliceOf('changed', many(10, 90))]
  const next = [...many(90), endpoint('10.0.90.1', false), ...many(9, 91), endpoint('10.1.0.1')]
  expect(shown(groupOf(...next), slices)).toEqual(['full 90', 'changed 11*'])
})

test('a new endpoint comes into the fullest slice with room where none is written at any rate', () => {
  const slices = [sliceOf('some', many(10)), sliceOf('full', many(MOST, 10)), sliceOf('most', many(90, 110))]
  expect(shown(groupOf(...many(200), endpoint('10.1.0.1')), slices)).toEqual(['some 10', 'full 100', 'most 91*'])
})

test('endpoints for which there is no room get slices of their own', () => {
  expect(shown(groupOf(...many(101)), [sliceOf('full', many(MOST))])).toEqual(['full 100', 'new 1*'])
  expect(shown(groupOf(...many(250)), [])).toEqual(['new 100*', 'new 100*', 'new 50*'])
})

test('an endpoint that stands in two slices stays in the first', () => {
  const slices = [sliceOf('one', many(2)), sliceOf('two', many(3, 1))]
  expect(shown(groupOf(...many(4)), slices)).toEqual(['one 2', 'two 2*'])
})

test('no endpoints are one empty slice, which is not written again', () => {
  expect(shown(groupOf(), [])).toEqual(['new 0*'])
  expect(shown(groupOf(), [sliceOf('empty', [])])).toEqual(['empty 0'])
  const both = [sliceOf('one', many(1)), sliceOf('two', [])]
  expect(shown(groupOf(), both)).toEqual(['one 0*'])
  expect(packed(groupOf(), both).spare).toEqual([both[1]])
})

test('whatever stood where, each endpoint stands in one slice, none is too full, and what is right is not written', () => {
  const address = fc.nat(120).map(index => `10.0.${index}.1`)
  const endpoints = fc.uniqueArray(address, { maxLength: 120 })
  fc.assert(
    fc.property(
      endpoints,
      fc.array(fc.uniqueArray(address, { maxLength: MOST }), { maxLength: 4 }),
      (wanted, before) => {
        const group = groupOf(...wanted.map(it => endpoint(it)))
        const slices = before.map((addresses, index) =>
          sliceOf(
            `${index}`,
            addresses.map(it => endpoint(it)),
          ),
        )
        const next = packed(group, slices)
        const found = next.slices.flatMap(it => it.endpoints.map(({ addresses: [first] }) => first))
        expect(found.sort()).toEqual([...wanted].sort())
        expect(next.slices.every(it => it.endpoints.length <= MOST)).toBe(true)
        // Every slice of before is kept or spare, and none is both.
        const kept = next.slices.flatMap(({ slice }) => slice ?? [])
        expect([...kept, ...next.spare].map(({ metadata: { name } }) => name).sort()).toEqual(
          before.map((_, index) => `${index}`),
        )
        const again = next.slices.map((it, index) => sliceOf(`${index}`, it.endpoints))
        expect(packed(group, again).slices.some(({ isChanged }) => isChanged)).toBe(false)
        expect(packed(group, again).spare).toEqual([])
      },
    ),
  )
})
