import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Malformed, Refusal } from '#kubernetes/watch/failures.ts'
import { LineSplitter, parseFrame } from '#kubernetes/watch/frames.ts'

function linesOf(bytes: Buffer, cuts: readonly number[], limit = 1 << 20): string[] {
  const lines = new LineSplitter(limit)
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length]
  return edges.slice(1).flatMap((end, i) => [...lines.take(bytes.subarray(edges[i], end))])
}

describe('the bytes of a watch are cut into lines', () => {
  test('wherever the network cut them, even inside a letter', () => {
    const line = fc.string({ unit: 'binary' }).filter(text => text.trim() !== '' && !text.includes('\n'))
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(500)), (texts, cuts) => {
        const wellFormed = texts.map(text => text.toWellFormed())
        const bytes = Buffer.from(wellFormed.map(text => `${text}\n`).join(''))
        const inside = cuts.map(cut => cut % (bytes.length + 1))
        expect(linesOf(bytes, inside)).toEqual(wellFormed)
      }),
    )
  })

  test('only at newlines: other line separators may stand inside a string', () => {
    const text = '{"a":"x\u2028y\u2029z\u0085"}'
    expect(linesOf(Buffer.from(`${text}\n`), [7])).toEqual([text])
  })

  test('half a line at the end is kept back', () => {
    expect(linesOf(Buffer.from('{"a":1}\n{"b":'), [3])).toEqual(['{"a":1}'])
  })

  test('a line without an end does not fill the memory', () => {
    expect(() => linesOf(Buffer.alloc(2000, 'x'), [500, 1000, 1500], 1200)).toThrow(
      new Malformed('a line of more than 1200 bytes'),
    )
  })

  test('a line in very many pieces is joined once', () => {
    const bytes = Buffer.from(`${'x'.repeat(100_000)}\n`)
    const cuts = Array.from({ length: 1000 }, (_, i) => i * 100)
    const joins = vi.spyOn(Buffer, 'concat')
    expect(linesOf(bytes, cuts)).toHaveLength(1)
    expect(joins).toHaveBeenCalledTimes(1)
    joins.mockRestore()
  })
})

describe('a line says', () => {
  const metadata = { namespace: 'shop', name: 'cart', uid: 'u', resourceVersion: '7' }

  test.each([
    ['ADDED', 'put'],
    ['MODIFIED', 'put'],
    ['DELETED', 'gone'],
  ])('%s: the object', (type, expected) => {
    const object = { metadata }
    expect(parseFrame(JSON.stringify({ type, object }))).toEqual({
      type: expected,
      item: { name: 'shop/cart', resourceVersion: '7', mark: 'u 7', raw: object },
    })
  })

  test('an object whose name is none has no name, but a version', () => {
    const object = { metadata: { ...metadata, name: 'a b' } }
    expect(parseFrame(JSON.stringify({ type: 'ADDED', object }))).toMatchObject({
      item: { name: undefined, resourceVersion: '7' },
    })
  })

  test('BOOKMARK: where we are, and whether a list has ended', () => {
    const bookmark = (annotations?: object) =>
      parseFrame(JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '9', annotations } } }))
    expect(bookmark()).toEqual({ type: 'bookmark', resourceVersion: '9' })
    expect(bookmark({ 'k8s.io/initial-events-end': 'true' })).toEqual({
      type: 'bookmark',
      resourceVersion: '9',
      ends: 'list',
    })
  })

  test('ERROR: what is refused', () => {
    const object = { kind: 'Status', code: 410, message: 'too old', details: { retryAfterSeconds: 3 } }
    const frame = parseFrame(JSON.stringify({ type: 'ERROR', object }))
    expect(frame).toEqual({ type: 'error', refusal: expect.any(Refusal) })
    expect((frame as { refusal: Refusal }).refusal.facts).toEqual({
      code: 410,
      said: 'too old',
      via: 'event',
      retryAfterMs: 3000,
    })
  })

  test.each([
    ['{"type":"ADDED","object":{"meta', /^a line that is not JSON: \{"type":"ADDED"/],
    ['<html>', /^a line that is not JSON: <html>$/],
    ['null', /^an event without a resourceVersion: null$/],
    ['{"type":"ADDED","object":{"metadata":{"name":"a"}}}', /^an event without a resourceVersion/],
    ['{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":7}}}', /^an event without a resourceVersion/],
    ['{"type":"RENAMED","object":{"metadata":{"resourceVersion":"7"}}}', /^an event of unknown type "RENAMED"/],
    ['{"object":{"metadata":{"resourceVersion":"7"}}}', /^an event of unknown type undefined/],
    ['{"type":"__proto__","object":{"metadata":{"resourceVersion":"7"}}}', /^an event of unknown type "__proto__"/],
  ])('what an API server never sends: %s', (line, message) => {
    expect(() => parseFrame(line)).toThrow(Malformed)
    expect(() => parseFrame(line)).toThrow(message)
  })
})
