import { expect, test } from 'vitest'
import type { Mode, Plan } from '#proxy/modes/mode.ts'
import { carryOut } from '#proxy/sync/carry-out.ts'
import type { Kernel } from '#system/ports.ts'
import { unit, unitText } from '../../support/units.ts'

const plan = (...texts: readonly string[]): Plan => ({
  add: new Map(texts.map(text => [unit(text), text])),
  change: new Map(),
  before: new Map(),
  remove: new Set(),
})

function scene(refused?: string) {
  const events: string[] = []
  const mode = {
    portions: ({ add }: Plan) => [...add.keys()].map(unit => plan(unitText(unit))),
    write: ({ add }: Plan) => {
      const input = [...add.keys()].join()
      events.push(`draws ${input}`)
      return [{ does: 'write', argv: ['tool'], input }]
    },
  } as unknown as Mode
  const kernel: Kernel = {
    run: async ({ input }) => {
      events.push(`runs ${input}`)
      return { code: input === refused ? 1 : 0, stdout: '', stderr: '' }
    },
  }
  return { events, mode, kernel }
}

test('a portion is drawn when the one before it stands, and all are counted', async () => {
  const { events, mode, kernel } = scene()
  expect(await carryOut(plan('one', 'two', 'three'), mode, kernel)).toEqual({ commands: 3, bytes: 11 })
  expect(events).toEqual(['draws one', 'runs one', 'draws two', 'runs two', 'draws three', 'runs three'])
})

test('after a portion that is refused no other is drawn', async () => {
  const { events, mode, kernel } = scene('two')
  await expect(carryOut(plan('one', 'two', 'three'), mode, kernel)).rejects.toThrow('tool')
  expect(events.at(-1)).toBe('runs two')
})

test('a plan that is its only portion is written as one', async () => {
  const { events, mode, kernel } = scene()
  await carryOut(plan('one', 'two'), { ...mode, portions: plan => [plan] }, kernel)
  expect(events).toEqual(['draws one,two', 'runs one,two'])
})
