import { beforeEach, describe, expect, test } from 'vitest'
import type { ApiObject } from '#lab/client/objects.ts'
import { Outstanding } from '#lab/controllers/loop/outstanding.ts'

let known: Map<string, ApiObject>
let outstanding: Outstanding

beforeEach(() => {
  known = new Map()
  outstanding = new Outstanding((kind, key) => known.get(`${kind} ${key}`))
})

function see(version: string, more: Partial<ApiObject['metadata']> = {}): readonly string[] {
  known.set('Pod default/web', { metadata: { name: 'web', uid: 'uid-1', resourceVersion: version, ...more } })
  return outstanding.seen('Pod')
}

const written = (version: string) => ({ kind: 'Pod', key: 'default/web', until: 'version', version }) as const
const deleted = { kind: 'Pod', key: 'default/web', until: 'ending', uid: 'uid-1' } as const

describe('a key waits', () => {
  test('until what it wrote is seen, or what came after it', () => {
    expect(outstanding.expect('set', [written('10')])).toBe(true)
    expect(see('9')).toEqual([])
    expect(see('11')).toEqual(['set'])
    expect(see('12')).toEqual([])
  })

  test('for all that it wrote', () => {
    outstanding.expect('set', [written('10'), { ...written('12'), key: 'default/other' }])
    expect(see('10')).toEqual([])
    known.set('Pod default/other', { metadata: { name: 'other', resourceVersion: '12' } })
    expect(outstanding.seen('Pod')).toEqual(['set'])
  })

  test('for nothing that was seen before the write was answered', () => {
    see('10')
    expect(outstanding.expect('set', [written('10')])).toBe(false)
  })

  test('no longer for what was made and has gone again', () => {
    outstanding.gone('Pod', 'default/web', '11')
    expect(outstanding.expect('set', [written('10')])).toBe(false)
  })

  test('for a deletion until the object is ending, gone, or another one', () => {
    see('10')
    expect(outstanding.expect('set', [deleted])).toBe(true)
    expect(see('11', { deletionTimestamp: 'now' })).toEqual(['set'])
    expect(outstanding.expect('set', [deleted])).toBe(false)
    see('12', { uid: 'uid-2' })
    expect(outstanding.expect('set', [deleted])).toBe(false)
    known.clear()
    expect(outstanding.expect('set', [deleted])).toBe(false)
  })

  test('until it is forgotten, where nothing is ever seen', () => {
    outstanding.expect('set', [written('10')])
    expect(outstanding.forget('set')).toBe(true)
    expect(see('10')).toEqual([])
  })
})
