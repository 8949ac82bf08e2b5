import { describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { attribute, ERROR, textAttribute } from '#system/netlink/message.ts'
import { RulesetListener } from '#system/netlink/ruleset-listener.ts'
import { RulesetReader } from '#system/netlink/ruleset-reader.ts'
import { followingGeneration, NetlinkWatch } from '#system/netlink/ruleset-watch.ts'
import { type Answer, type Datagram, errorBody, ScriptedSocket } from './scripted-socket.ts'

// What is said of commits that the kernel announces, and of those that it does not: on sockets that a test writes.

const [NEWGEN, NEWRULE] = [0xa0f, 0xa06]

const big = (type: number, value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return attribute(type, bytes)
}
const generation = (number: number): Answer => ({
  type: NEWGEN,
  body: Buffer.concat([Buffer.alloc(4), big(1, number), big(2, 77), textAttribute(3, 'nft')]),
})
const rule = (family: number): Answer => ({
  type: NEWRULE,
  body: Buffer.concat([Buffer.from([family, 0, 0, 1]), textAttribute(1, 'nat'), textAttribute(2, 'A')]),
})

/** A socket whose arrivals a test makes one by one. */
class BellSocket extends ScriptedSocket {
  #ring: ((what: 'something' | 'nothing' | 'broken') => void) | undefined

  override arrival(): Promise<'something' | 'nothing' | 'broken'> {
    return new Promise(resolve => {
      this.#ring = resolve
    })
  }

  ring(what: 'something' | 'nothing' | 'broken'): void {
    this.#ring?.(what)
  }
}

/** A kernel whose last commit has the number `last`; undefined where it does not answer that. */
function watching({ hasBell = true }: { hasBell?: boolean } = {}) {
  const kernel: { last: number | undefined } = { last: 5 }
  const clock = new PaperClock()
  const said: string[] = []
  const opened: { ears: ScriptedSocket; eyes: ScriptedSocket; bell: BellSocket }[] = []
  const sockets = () => {
    const eyes = new ScriptedSocket(() => [
      [kernel.last === undefined ? { type: ERROR, body: errorBody(95) } : generation(kernel.last)],
    ])
    const three = { ears: new ScriptedSocket(), eyes, bell: new BellSocket() }
    opened.push(three)
    return {
      ears: new RulesetListener(three.ears, family => family !== 'other'),
      eyes: new RulesetReader(eyes),
      bell: hasBell ? three.bell : undefined,
    }
  }
  const watch = new NetlinkWatch({ clock, sockets })
  const listener = {
    commit: ({ generation: number, touches }: { generation: number; touches: readonly unknown[] }) =>
      said.push(`${number} with ${touches.length}`),
    gap: () => said.push('gap'),
  }
  const hear = (...datagrams: readonly Datagram[]) => {
    opened.at(-1)?.ears.arrives(...datagrams)
    watch.hear()
    return said.splice(0)
  }
  return { clock, hear, kernel, listener, opened, said, sockets, watch }
}

describe('commits', () => {
  test('are heard one after another, by each that listens, with what of them is of concern', () => {
    const { hear, listener, watch, said } = watching()
    watch.listen(listener)
    const other: number[] = []
    const stop = watch.listen({ commit: commit => other.push(commit.generation), gap: () => {} })
    expect(hear([rule(2), rule(1), generation(6)], [generation(7)])).toEqual(['6 with 1', '7 with 0'])
    stop()
    expect(hear([generation(8)])).toEqual(['8 with 0'])
    expect([other, said]).toEqual([[6, 7], []])
  })

  test('whose numbers leave one out are a gap; the first one heard may have any', () => {
    const { hear, listener, watch } = watching()
    watch.listen(listener)
    expect(hear([generation(5)])).toEqual(['5 with 0'])
    expect(hear([generation(6), generation(9), generation(10)])).toEqual(['6 with 0', '9 with 0', 'gap', '10 with 0'])
  })

  test('go on behind the largest number there is', () => {
    const { hear, listener, watch } = watching()
    watch.listen(listener)
    expect(hear([generation(0xffff_ffff), generation(1)])).toEqual(['4294967295 with 0', '1 with 0'])
    expect(hear([generation(0)])).toEqual(['0 with 0', 'gap'])
  })

  test('that the kernel has dropped are a gap, behind which it is asked where it is', () => {
    const { hear, kernel, listener, watch } = watching()
    watch.listen(listener)
    hear([generation(6)])
    kernel.last = 20
    expect(hear('overflow')).toEqual(['gap'])
    expect(watch.generation()).toBe(20)
    // The one made at that moment is heard, and counted already.
    expect(hear([generation(20)], [generation(21)])).toEqual(['20 with 0', '21 with 0'])
  })
})

describe('the number of the last commit', () => {
  test('is there where it is the last one heard', () => {
    const { hear, kernel, listener, watch } = watching()
    expect(watch.generation()).toBeUndefined()
    watch.listen(listener)
    expect(watch.generation()).toBe(5)
    kernel.last = 6
    expect(watch.generation()).toBeUndefined()
    hear([generation(6)])
    expect(watch.generation()).toBe(6)
  })

  test('is not known where the kernel does not answer', () => {
    const { kernel, listener, watch } = watching()
    watch.listen(listener)
    kernel.last = undefined
    expect(watch.generation()).toBeUndefined()
    expect(watch.isListening).toBe(true)
  })
})

describe('a watch', () => {
  test('listens while it is listened to, with sockets of its own each time', () => {
    const { listener, opened, watch } = watching()
    expect([watch.isListening, watch.namespace(), watch.dump()]).toEqual([false, undefined, undefined])
    const [one, other] = [watch.listen(listener), watch.listen({ ...listener })]
    expect([watch.isListening, watch.namespace(), opened.length]).toEqual([true, 'paper', 1])
    one()
    expect(watch.isListening).toBe(true)
    other()
    expect(watch.isListening).toBe(false)
    const [{ ears, eyes, bell }] = opened as [(typeof opened)[number]]
    expect([ears.closed, eyes.closed, bell.closed]).toEqual([1, 1, 1])
    watch.listen(listener)
    expect([watch.isListening, opened.length]).toEqual([true, 2])
  })

  test('of a kernel that has no nftables hears nothing, and leaves no socket open', () => {
    const { kernel, listener, opened, watch } = watching()
    kernel.last = undefined
    watch.listen(listener)
    expect(watch.isListening).toBe(false)
    expect(opened.map(({ ears, eyes, bell }) => [ears.closed, eyes.closed, bell.closed])).toEqual([[1, 1, 1]])
    watch.hear()
  })

  test('whose sockets are of no more use says so once, and hears nothing any more', () => {
    for (const fails of ['ears', 'eyes'] as const) {
      const { hear, kernel, listener, opened, watch } = watching()
      watch.listen(listener)
      const { ears } = opened[0]!
      if (fails === 'eyes') kernel.last = undefined
      else
        ears.receive = () => {
          throw new Error('recv on a netlink socket failed with errno 9')
        }
      expect(hear('overflow')).toEqual(['gap'])
      expect([watch.isListening, ears.closed]).toEqual([false, 1])
      expect(hear([generation(6)])).toEqual([])
    }
  })
})

describe('without being asked:', () => {
  test('what arrives is heard, and while there is more, every 50 ms', async () => {
    const { clock, listener, opened, said, watch } = watching()
    const stop = watch.listen(listener)
    const { ears, bell } = opened[0]!
    await clock.advance(0)
    ears.arrives([generation(6)])
    bell.ring('something')
    await clock.advance(0)
    expect(said.splice(0)).toEqual(['6 with 0'])
    ears.arrives([generation(7)])
    await clock.advance(49)
    expect(said).toEqual([])
    await clock.advance(1)
    expect(said.splice(0)).toEqual(['7 with 0'])
    stop()
    bell.ring('nothing')
    await clock.advance(0)
    expect(clock.sleepers).toBe(0)
  })

  test.each([
    ['there is no socket for it', false],
    ['it is of no use', true],
  ])('every 250 ms where %s', async (_, hasBell) => {
    const { clock, listener, opened, said, watch } = watching({ hasBell })
    const stop = watch.listen(listener)
    const { ears, bell } = opened[0]!
    await clock.advance(0)
    bell.ring('broken')
    await clock.advance(0)
    ears.arrives([generation(6)])
    await clock.advance(249)
    expect(said).toEqual([])
    await clock.advance(1)
    expect(said).toEqual(['6 with 0'])
    stop()
    await clock.advance(0)
    expect(clock.sleepers).toBe(0)
  })
})

test('generations have 32 bits and leave out 0', () => {
  expect([1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1].map(followingGeneration)).toEqual([2, 2 ** 31 + 1, 2 ** 32 - 1, 1])
})
