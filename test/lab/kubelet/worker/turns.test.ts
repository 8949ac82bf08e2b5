import { expect, test } from 'vitest'
import { turns } from '#lab/kubelet/worker/turns.ts'

test('work waits for its turn in the order it came, and a failure gives the turn on', async () => {
  const inTurn = turns(2)
  const begun: number[] = []
  const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>())
  const done = ends.map(({ promise }, i) =>
    inTurn(async () => {
      begun.push(i)
      await promise
    }).catch(() => 'failed'),
  )
  await Promise.resolve()
  expect(begun).toEqual([0, 1])
  ends[1]!.reject(new Error('no'))
  await done[1]
  expect(begun).toEqual([0, 1, 2])
  ends[0]!.resolve()
  await done[0]
  expect(begun).toEqual([0, 1, 2, 3])
})
