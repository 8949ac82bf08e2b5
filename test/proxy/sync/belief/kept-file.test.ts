import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { paperKeep } from '#lab/paper/keep.ts'
import type { Part } from '#proxy/modes/mode.ts'
import { type KeptFor, keptBelief } from '#proxy/sync/belief/kept.ts'
import { KeptFile } from '#proxy/sync/belief/kept-file.ts'
import { textNumber } from '#values/digest.ts'
import { part, ruleset, unit, unitText } from '../../../support/units.ts'

const FOR: KeptFor = { identity: ['v1'], generation: 7 }
const NAME = 'belief-ipv4'

/** A file, and what the next process reads from it. */
function scene(hasRoom: () => boolean = () => true) {
  const kept = new Map<string, string>()
  const file = new KeptFile(paperKeep(kept, hasRoom), NAME)
  const content = (texts: Readonly<Record<string, string>>, prints: ReadonlyMap<Part, number> = new Map()) => {
    return { installed: ruleset(texts), prints, about: FOR }
  }
  const whole = (texts: Readonly<Record<string, string>>, isSame = true) =>
    file.writeWhole(content(texts), { pause: async () => {}, isSame: () => isSame })
  const read = () => {
    const found = keptBelief(kept.get(NAME) ?? '', FOR.identity)
    const units = [...(found?.units ?? [])].map(([name, number]) => [unitText(name), number] as const)
    return found && { generation: found.generation, units: Object.fromEntries(units) }
  }
  return { kept, file, content, whole, read }
}

const numbers = (texts: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, textNumber(text)]))

describe('a belief that is written whole', () => {
  test('is read back, in however many sections it was written', async () => {
    const { whole, read } = scene()
    const texts = Object.fromEntries(Array.from({ length: 4321 }, (_, i) => [`u${i}`, `${i}`]))
    await whole(texts)
    expect(read()).toEqual({ generation: 7, units: numbers(texts) })
  })

  test('says of no commit that it is the last, where something changed meanwhile', async () => {
    const { whole, read } = scene()
    await whole({ a: '1' }, false)
    expect(read()).toEqual({ generation: undefined, units: numbers({ a: '1' }) })
  })

  test('is not there, where there is no room, and nothing can be added to it', async () => {
    const { file, whole, read } = scene(() => false)
    await whole({ a: '1' })
    expect([read(), file.mayAdd]).toEqual([undefined, false])
  })

  test('has nothing added to it where all was in question while it was written', async () => {
    const { file, content, whole } = scene()
    await file.writeWhole(content({ a: '1' }), { pause: async () => {}, isSame: () => true })
    expect(file.mayAdd).toBe(true)
    file.goOn(undefined)
    expect(file.mayAdd).toBe(false)
    await whole({ a: '1' })
    expect(file.mayAdd).toBe(true)
  })
})

describe('what has changed since', () => {
  test('is added alone', async () => {
    const { kept, file, content, whole, read } = scene()
    await whole({ a: '1', b: '1', c: '1' })
    const before = kept.get(NAME)!
    file.touch(['a', 'c'].map(unit))
    expect(await file.add(content({ a: '2', b: '1' }))).toBe(true)
    const added = kept.get(NAME)!.slice(before.length)
    expect(added.split('\n').filter(line => / [abc]$/.test(line))).toHaveLength(2)
    expect(read()).toEqual({ generation: 7, units: numbers({ a: '2', b: '1' }) })
  })

  test('is added once', async () => {
    const { kept, file, content, whole } = scene()
    await whole({ a: '1' })
    file.touch([unit('a')])
    await file.add(content({ a: '2' }))
    const before = kept.get(NAME)!
    await file.add(content({ a: '2' }))
    expect(kept.get(NAME)!.slice(before.length)).not.toMatch(/ a$/m)
  })

  test('takes no more room than twice what was written whole, and a little', async () => {
    const { file, content, whole } = scene()
    await whole({ a: '1' })
    let additions = 0
    for (; file.mayAdd; additions++) {
      file.touch([unit('a')])
      await file.add(content({ a: `${additions}` }))
    }
    expect(additions).toBe(1001)
  })

  test('cannot be added where the file is gone', async () => {
    const { kept, file, content, whole } = scene()
    await whole({ a: '1' })
    kept.clear()
    expect([await file.add(content({ a: '1' })), file.mayAdd]).toEqual([false, false])
  })

  test('is added to what another process wrote, from where that ends', async () => {
    const { kept, file, content, whole, read } = scene()
    await whole({ a: '1' })
    const next = new KeptFile(
      paperKeep(kept, () => true),
      NAME,
    )
    expect(await file.load()).toBe(kept.get(NAME))
    next.goOn(keptBelief((await next.load())!, FOR.identity)!.end)
    next.touch([unit('b')])
    await next.add(content({ a: '1', b: '1' }))
    expect(read()).toEqual({ generation: 7, units: numbers({ a: '1', b: '1' }) })
  })
})

test('whatever changes, and however often it is written, the next process reads what was believed last', async () => {
  const texts = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'))
  await fc.assert(
    fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 8 }), async states => {
      const { file, content, whole, read } = scene()
      await whole(states[0]!)
      for (const state of states.slice(1)) {
        file.touch(['a', 'b', 'c'].map(unit))
        await file.add(content(state, new Map([[part('p'), 1]])))
      }
      expect(read()).toEqual({ generation: 7, units: numbers(states.at(-1)!) })
    }),
  )
})
