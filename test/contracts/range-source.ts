import { describe, expect, test } from 'vitest'
import { rangesText } from '#ipam/ranges/range-bounds.ts'
import type { AddressStretch, RangeSource } from '#ipam/sources/range-source.ts'

// What a source of ranges promises, wherever its ranges come from. What one of them cannot do has a reason, and an exception that
// is not needed fails.

export interface SourceUnderTest {
  readonly source: RangeSource
  /** The same node by another process. */
  restarted(): RangeSource
  /** The cluster gives this node a range. */
  give(): Promise<void>
  /** Takes it from the node, and gives it another one. */
  replace(): Promise<void>
  /** Its Node object is deleted. */
  delete(): Promise<void>
  goAway(): void
  /** Another node's, of the same cluster. */
  readonly neighbour: RangeSource
  /** All addresses but the last few are leased. */
  fill(): void
  /** None is leased, for a long time. */
  empty(): Promise<void>
  /** What is under way between nodes is done. */
  settle(): Promise<void>
}

const PROMISES = [
  'says why there is no range',
  'has a range once it is given',
  'remembers its ranges while the API server is away',
  'names what was taken away',
  'gives nothing once its Node is gone',
  'has no address that another node has',
  'gets more',
  'takes back what is idle',
] as const

type Promised = (typeof PROMISES)[number]
export type SourceExceptions = Partial<Record<Promised, string>>

export function rangeSourceContract(name: string, make: () => SourceUnderTest, cannot: SourceExceptions = {}): void {
  const PROOFS: Readonly<Record<Promised, (subject: SourceUnderTest) => Promise<void>>> = {
    async 'says why there is no range'({ source }) {
      expect(source.mine()).toMatchObject({ sets: [], why: expect.stringMatching(/not (read|made) yet/) })
      await source.refresh()
      expect(source.mine()).toMatchObject({
        sets: [],
        why: expect.stringMatching(/no spec\.podCIDRs yet|not made yet/),
      })
    },
    async 'has a range once it is given'(subject) {
      const { gained } = await given(subject)
      expect(gained.map(shown)).toEqual([allOf(subject.source)])
      expect(await subject.source.refresh()).toEqual({ gained: [], lost: [] })
    },
    async 'remembers its ranges while the API server is away'(subject) {
      await given(subject)
      const before = subject.source.mine().sets
      subject.goAway()
      await expect(subject.source.refresh()).rejects.toThrow('away')
      const next = subject.restarted()
      await expect(next.refresh()).rejects.toThrow('away')
      expect([subject.source.mine().sets, next.mine().sets]).toEqual([before, before])
    },
    async 'names what was taken away'(subject) {
      await given(subject)
      const before = allOf(subject.source)
      await subject.replace()
      const { lost } = await subject.source.refresh()
      expect(lost.map(shown)).toEqual([before])
      expect(allOf(subject.source)).not.toBe(before)
    },
    async 'gives nothing once its Node is gone'(subject) {
      await given(subject)
      await subject.delete()
      await subject.source.refresh()
      expect(subject.source.mine()).toMatchObject({ sets: [], why: expect.stringContaining('there is no Node') })
    },
    async 'has no address that another node has'(subject) {
      await given(subject)
      const [own, other] = [allOf(subject.source), allOf(subject.neighbour)]
      expect([own, other].every(text => text !== '')).toBe(true)
      expect(own).not.toBe(other)
    },
    async 'gets more'(subject) {
      await given(subject)
      const before = allOf(subject.source)
      subject.fill()
      expect(await subject.source.more(8)).toBe('asked')
      await subject.settle()
      const { gained } = await subject.source.refresh()
      expect([gained.length, allOf(subject.source) !== before]).toEqual([1, true])
    },
    async 'takes back what is idle'(subject) {
      await PROOFS['gets more'](subject)
      await subject.empty()
      expect(await subject.source.takeBack()).toHaveLength(1)
    },
  }

  describe(`${name}: the contract of sources of ranges`, () => {
    for (const promise of PROMISES) {
      const reason = cannot[promise]
      if (reason === undefined) test(promise, () => PROOFS[promise](make()))
      else
        test(`does not do: ${promise} (${reason})`, async () => {
          await expect(PROOFS[promise](make())).rejects.toThrow()
        })
    }
  })
}

async function given(subject: SourceUnderTest) {
  await subject.source.refresh()
  await subject.give()
  return subject.source.refresh()
}

function allOf(source: RangeSource): string {
  return source.mine().sets.map(rangesText).join(' ')
}

function shown({ first, last }: AddressStretch): string {
  return `${first}-${last}`
}
