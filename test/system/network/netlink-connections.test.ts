import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inWalks } from '#system/network/netlink-connections.ts'
import type { Address } from '#values/address.ts'
import { ip } from '../../support/objects.ts'

// Who is served by which walk through the kernel's connections. That a walk forgets them is proven on the real kernel.

const [ONE, TWO, THREE] = ['10.0.0.1', '10.0.0.2', 'fd00::3'].map(ip) as [Address, Address, Address]

function walking() {
  const walks: { addresses: readonly Address[]; end: (error?: Error) => void }[] = []
  const table = inWalks(
    addresses =>
      new Promise((resolve, reject) => {
        walks.push({ addresses, end: error => (error === undefined ? resolve() : reject(error)) })
      }),
  )
  const turn = async () => {
    await setImmediate()
    await setImmediate()
  }
  return { table, turn, walks }
}

describe('addresses that are asked for', () => {
  test('in one turn are served by one walk, each once', async () => {
    const { table, turn, walks } = walking()
    const asked = [table.forget([ONE]), table.forget([TWO, ONE]), table.forget([THREE])]
    expect(walks).toEqual([])
    await turn()
    expect(walks.map(({ addresses }) => addresses)).toEqual([[ONE, TWO, THREE]])
    walks[0]!.end()
    await Promise.all(asked)
  })

  test('while a walk goes on are served by the next: the first may be past them', async () => {
    const { table, turn, walks } = walking()
    const first = table.forget([ONE])
    await turn()
    const [again, other] = [table.forget([ONE]), table.forget([TWO])]
    await turn()
    expect(walks).toHaveLength(1)
    walks[0]!.end()
    await first
    await turn()
    expect(walks.map(({ addresses }) => addresses)).toEqual([[ONE], [ONE, TWO]])
    walks[1]!.end()
    await Promise.all([again, other])
  })

  test('are refused to those alone whose walk fails', async () => {
    const { table, turn, walks } = walking()
    const failed = expect(table.forget([ONE])).rejects.toThrow('EPERM')
    await turn()
    const next = table.forget([TWO])
    walks[0]!.end(new Error('EPERM'))
    await failed
    await turn()
    walks[1]!.end()
    await next
  })
})

test('no two walks go on at once, and each that asks is answered by one that began later and has its addresses', async () => {
  const steps = fc.array(
    fc.oneof(fc.nat({ max: 3 }), fc.constantFrom('end' as const, 'fail' as const, 'turn' as const)),
    {
      maxLength: 30,
    },
  )
  await fc.assert(
    fc.asyncProperty(steps, async all => {
      const { table, turn, walks } = walking()
      const done = new Set<number>()
      const running = () => walks.flatMap((_, i) => (done.has(i) ? [] : [i]))
      const end = (error?: Error) => {
        for (const i of running()) {
          done.add(i)
          walks[i]!.end(error)
        }
      }
      const answers: Promise<void>[] = []
      for (const step of all) {
        if (step === 'turn') await turn()
        else if (step === 'end') end()
        else if (step === 'fail') end(new Error('no'))
        else {
          const [address, begun] = [ip(`10.0.0.${step}`), walks.length]
          const answered = () => {
            const serving = walks.findIndex(({ addresses }, i) => i >= begun && addresses.includes(address))
            expect(done.has(serving)).toBe(true)
          }
          answers.push(table.forget([address]).then(answered, answered))
        }
        expect(running().length).toBeLessThanOrEqual(1)
      }
      for (let i = 0; i < 3; i++) {
        await turn()
        end()
      }
      await Promise.all(answers)
    }),
    { numRuns: 60 },
  )
})
