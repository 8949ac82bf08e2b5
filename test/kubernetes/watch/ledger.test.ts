import { describe, expect, test } from 'vitest'
import { itemOf } from '#kubernetes/watch/frames.ts'
import { Ledger, Picture } from '#kubernetes/watch/ledger.ts'
import { rawSlice } from '../../faults/listener.ts'

function slice(name: string, version: number, more: { uid?: string; broken?: 'partly' | 'wholly' } = {}) {
  const raw = rawSlice(name)
  const metadata = { ...raw.metadata, uid: more.uid ?? name, resourceVersion: String(version) }
  const bad = { addresses: ['10.1.0.400'], conditions: { ready: true } }
  const endpoints = more.broken === 'partly' ? [...(raw.endpoints as object[]), bad] : raw.endpoints
  return itemOf({ ...raw, metadata, endpoints, ...(more.broken === 'wholly' ? { addressType: 'FQDN' } : {}) })
}

/** A ledger, and what it delivers when these are listed. */
function delivered(ledger: Ledger, ...items: ReturnType<typeof slice>[]): string[] {
  const picture = new Picture(ledger)
  for (const item of items) picture.put(item)
  const words: string[] = []
  for (const delivery of picture.changes()) {
    for (const event of delivery.events) {
      words.push(`${event.type} ${event.type === 'put' ? event.object.name : 'name' in event ? event.name : ''}`)
    }
    ledger.applied(delivery)
  }
  return words
}

describe('a new picture is delivered as what has changed', () => {
  test('removals first, then what is new or different', () => {
    const ledger = new Ledger('EndpointSlice')
    expect(delivered(ledger, slice('a', 1), slice('b', 2), slice('c', 3))).toEqual([
      'put shop/a',
      'put shop/b',
      'put shop/c',
    ])
    expect(delivered(ledger, slice('d', 6), slice('b', 2), slice('a', 5))).toEqual([
      'gone shop/c',
      'put shop/d',
      'put shop/a',
    ])
    expect(delivered(ledger, slice('d', 6), slice('b', 2), slice('a', 5))).toEqual([])
    expect(ledger.size).toBe(3)
  })

  test('another object of the same name and version is another object', () => {
    const ledger = new Ledger('EndpointSlice')
    delivered(ledger, slice('a', 1))
    expect(delivered(ledger, slice('a', 1, { uid: 'other' }))).toEqual(['put shop/a'])
  })

  test('an object without a version is always delivered', () => {
    const ledger = new Ledger('EndpointSlice')
    const { resourceVersion: _, ...metadata } = rawSlice('a').metadata
    const item = itemOf({ ...rawSlice('a'), metadata })
    expect(delivered(ledger, item)).toEqual(['put shop/a'])
    expect(delivered(ledger, item)).toEqual(['put shop/a'])
  })

  test('what was delivered and then changed back is delivered again', () => {
    const ledger = new Ledger('EndpointSlice')
    delivered(ledger, slice('a', 1))
    expect(delivered(ledger, slice('a', 2))).toEqual(['put shop/a'])
    expect(delivered(ledger, slice('a', 1))).toEqual(['put shop/a'])
  })
})

describe('what is not usable', () => {
  test('in part: its problem, and what is usable', () => {
    expect(delivered(new Ledger('EndpointSlice'), slice('a', 1, { broken: 'partly' }))).toEqual([
      'problem shop/a',
      'put shop/a',
    ])
  })

  test('as a whole: its problem once, and gone if it was there before', () => {
    const ledger = new Ledger('EndpointSlice')
    expect(delivered(ledger, slice('a', 1, { broken: 'wholly' }))).toEqual(['problem shop/a'])
    expect(delivered(ledger, slice('a', 1, { broken: 'wholly' }))).toEqual([])
    expect(delivered(ledger, slice('a', 2))).toEqual(['put shop/a'])
    expect(delivered(ledger, slice('a', 3, { broken: 'wholly' }))).toEqual(['problem shop/a', 'gone shop/a'])
    expect(delivered(ledger, slice('a', 4, { broken: 'wholly' }))).toEqual(['problem shop/a'])
    expect(ledger.size).toBe(0)
    // It goes, and with it the problem.
    expect(delivered(ledger)).toEqual(['gone shop/a'])
    expect(delivered(ledger)).toEqual([])
  })

  test('even its name: its problem, every time', () => {
    const ledger = new Ledger('EndpointSlice')
    const nameless = () => slice('A b', 1)
    expect(delivered(ledger, nameless())).toEqual([expect.stringMatching(/^problem /)])
    expect(ledger.size).toBe(0)
  })
})

test('warnings come with each version of an object once, however often it is listed', () => {
  const ledger = new Ledger('EndpointSlice')
  const listed = (version: string) => {
    const raw = rawSlice('a', '010.1.0.04')
    const picture = new Picture(ledger)
    picture.put(itemOf({ ...raw, metadata: { ...raw.metadata, uid: 'a', resourceVersion: version } }))
    return [...picture.changes()].flatMap(delivery => {
      ledger.applied(delivery)
      return delivery.events.map(event => (event.type === 'put' ? event.warnings : event.type))
    })
  }
  const warnings = ['endpoints[0].addresses[0]: "010.1.0.04" has leading zeros; it is read as 10.1.0.4']
  expect(listed('1')).toEqual([warnings])
  expect(listed('1')).toEqual([])
  expect(listed('2')).toEqual([warnings])
})
