import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Life } from './life.ts'
import { step } from './step.ts'

// A day in the life of a node, shortened: no address of two pods, nothing freed that lives, no leak older than it takes to be sure.

const STEPS = 10_000

test('10,000 steps of a node, with a model beside it', { timeout: 240_000 }, async () => {
  // A failure says its seed; SEED=… has the same day again.
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  const life = new Life()
  try {
    for (const [i, one] of fc.sample(step, { seed, numRuns: STEPS }).entries()) {
      await life.take(one).catch((error: unknown) => {
        throw new Error(`seed ${seed}, step ${i}, ${JSON.stringify(one)}: ${(error as Error).message}`, {
          cause: error,
        })
      })
    }
    expect(life.freed).toBeGreaterThan(100)
  } finally {
    life.close()
  }
})
