import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ObjectCache } from '#lab/client/follow/object-cache.ts'
import type { ApiObject } from '#lab/client/objects.ts'

function object(name: string, version: number, uid = `uid-of-${name}`): ApiObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name, uid, resourceVersion: `${version}` } }
}

/** `new web 1`, `changed web 2`, `gone web 2`, `synced`, and what is there by these words alone. */
function joined(cache: ObjectCache) {
  const calls: string[] = []
  const believed = new Map<string, string>()
  const words = ({ metadata }: ApiObject) => `${metadata.name} ${metadata.resourceVersion}`
  const followed = cache.join(
    {
      changed: (it, before) => {
        calls.push(`${before === undefined ? 'new' : 'changed'} ${words(it)}`)
        believed.set(it.metadata.name!, `${it.metadata.uid} ${it.metadata.resourceVersion}`)
      },
      gone: it => {
        calls.push(`gone ${words(it)}`)
        believed.delete(it.metadata.name!)
      },
      synced: () => calls.push('synced'),
    },
    () => calls.push('left'),
  )
  return { calls, believed, followed }
}

describe('a follower', () => {
  test('is called from the next turn on, and once for what came meanwhile', async () => {
    const cache = new ObjectCache()
    cache.put(object('web', 1))
    const { calls } = joined(cache)
    cache.put(object('web', 2))
    expect(calls).toEqual([])
    await Promise.resolve()
    expect(calls).toEqual(['new web 2'])
    cache.put(object('web', 2))
    cache.put(object('web', 3))
    expect(calls).toEqual(['new web 2', 'changed web 3'])
  })

  test('that leaves is not called again, and leaves once', async () => {
    const cache = new ObjectCache()
    const [early, late] = [joined(cache), joined(cache)]
    early.followed.close()
    await Promise.resolve()
    late.followed.close()
    late.followed.close()
    cache.replaceAll([object('web', 1)])
    expect([early.calls, late.calls]).toEqual([['left'], ['left']])
  })

  test('may leave while it is called, and the others are called all the same', async () => {
    const cache = new ObjectCache()
    const first = cache.join({ changed: () => first.close() }, () => {})
    const second = joined(cache)
    await Promise.resolve()
    cache.put(object('web', 1))
    cache.put(object('web', 2))
    expect(second.calls).toEqual(['new web 1', 'changed web 2'])
  })
})

describe('a whole list', () => {
  test('ends what is not in it before it begins what is new, and is all there was only once', async () => {
    const cache = new ObjectCache()
    const { calls, followed } = joined(cache)
    await Promise.resolve()
    cache.replaceAll([object('a', 1), object('b', 2)])
    await followed.synced
    cache.replaceAll([object('c', 3), object('b', 2), object('a', 4, 'another')])
    expect(calls).toEqual(['new a 1', 'new b 2', 'synced', 'new c 3', 'gone a 1', 'new a 4'])
    cache.replaceAll([])
    expect(calls.slice(6).sort()).toEqual(['gone a 4', 'gone b 2', 'gone c 3'])
  })

  test('never came where the cache is closed: what waits for it is not left waiting', async () => {
    const cache = new ObjectCache()
    const { followed } = joined(cache)
    cache.close()
    await expect(followed.synced).rejects.toThrow('closed before everything was there')
  })
})

test('the end of an object that another one has replaced by its name ends nothing', async () => {
  const cache = new ObjectCache()
  const { calls } = joined(cache)
  await Promise.resolve()
  cache.put(object('web', 2, 'fresh'))
  cache.remove(object('web', 1, 'old'))
  cache.remove(object('none', 1))
  expect(calls).toEqual(['new web 2'])
})

test('whatever comes, each follower has by its calls what the cache has, whenever it joined', async () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const uid = fc.constantFrom('1', '2')
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), name, uid }),
    fc.record({ do: fc.constant('remove' as const), name, uid }),
    fc.record({ do: fc.constant('list' as const), names: fc.uniqueArray(name), uid }),
    fc.record({ do: fc.constant('join' as const) }),
    fc.record({ do: fc.constant('turn' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const cache = new ObjectCache()
      const followers = [joined(cache)]
      let version = 0
      for (const it of steps) {
        version += 1
        if (it.do === 'put') cache.put(object(it.name, version, it.uid))
        else if (it.do === 'remove') cache.remove(object(it.name, version, it.uid))
        else if (it.do === 'list') cache.replaceAll(it.names.map(each => object(each, version, it.uid)))
        else if (it.do === 'join') followers.push(joined(cache))
        else await Promise.resolve()
      }
      await Promise.resolve()
      const items = [...followers[0]!.followed.items().values()]
      const expected = new Map(items.map(({ metadata: it }) => [it.name, `${it.uid} ${it.resourceVersion}`]))
      for (const { believed } of followers) expect(believed).toEqual(expected)
    }),
  )
})
