import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Turns } from '#cni/daemon/turns.ts'

// Who waits for whom.

describe('turns', () => {
  /** Works that end when a test says so. */
  class Ends {
    readonly begun: string[] = []
    readonly #ends = new Map<string, () => void>()

    work(name: string): () => Promise<void> {
      return () => {
        this.begun.push(name)
        return new Promise(resolve => this.#ends.set(name, resolve))
      }
    }

    async end(name: string): Promise<void> {
      this.#ends.get(name)!()
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  const soon = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

  test('are taken one after another by one container, and at once by different ones', async () => {
    const [turns, ends] = [new Turns(), new Ends()]
    void turns.inTurn('a', ends.work('a1'))
    void turns.inTurn('a', ends.work('a2'))
    void turns.inTurn('b', ends.work('b1'))
    await soon()
    expect(ends.begun).toEqual(['a1', 'b1'])
    await ends.end('a1')
    expect(ends.begun).toEqual(['a1', 'b1', 'a2'])
  })

  test('alone come after all before, and before all after', async () => {
    const [turns, ends] = [new Turns(), new Ends()]
    void turns.inTurn('a', ends.work('a'))
    void turns.alone(ends.work('gc'))
    void turns.inTurn('b', ends.work('b'))
    void turns.alone(ends.work('gc2'))
    await soon()
    expect(ends.begun).toEqual(['a'])
    await ends.end('a')
    expect(ends.begun).toEqual(['a', 'gc'])
    await ends.end('gc')
    expect(ends.begun).toEqual(['a', 'gc', 'b'])
    await ends.end('b')
    expect(ends.begun).toEqual(['a', 'gc', 'b', 'gc2'])
  })

  test('go on behind work that failed', async () => {
    const turns = new Turns()
    const failed = turns.inTurn('a', () => Promise.reject(new Error('first')))
    const next = turns.inTurn('a', () => Promise.resolve('second'))
    const alone = turns.alone(() => Promise.reject(new Error('third')))
    await expect(failed).rejects.toThrow('first')
    expect(await next).toBe('second')
    await expect(alone).rejects.toThrow('third')
    await turns.idle()
  })

  test('never overlap where they must not, in any order of calls', async () => {
    const calls = fc.array(fc.constantFrom('a', 'b', 'c', 'alone'), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(calls, fc.scheduler(), async (names, scheduler) => {
        const turns = new Turns()
        const running: string[] = []
        const clashes: string[] = []
        const work = (name: string) => async (): Promise<void> => {
          const others = running.filter(other => name === 'alone' || other === 'alone' || other === name)
          clashes.push(...others)
          running.push(name)
          await scheduler.schedule(Promise.resolve())
          running.splice(running.indexOf(name), 1)
        }
        const all = names.map(name => (name === 'alone' ? turns.alone(work(name)) : turns.inTurn(name, work(name))))
        await scheduler.waitFor(Promise.all(all))
        expect([clashes, running]).toEqual([[], []])
      }),
      { numRuns: 50 },
    )
  })
})
