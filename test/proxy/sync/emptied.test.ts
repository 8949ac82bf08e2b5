import { expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import type { Mode, Ruleset, Unit } from '#proxy/modes/mode.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import { Book } from '#proxy/plan/book.ts'
import { applied } from '#proxy/plan/diff.ts'
import { Sync } from '#proxy/sync/sync.ts'
import type { Kernel } from '#system/ports.ts'
import { unit } from '../../support/units.ts'

// Chains that an older kernel cannot delete in the same transaction: they stand empty until the next read, and are no
// drift.

const LB = unit('chain cluster-ip-lb-tcp-2')
const ELEMENT = unit('element cluster-ips 10.96.0.10 . tcp . 80')
const DONE = { code: 0, stdout: '', stderr: '' }

const older = nftables({ family: 'ipv4', chainRemoval: 'when-forgotten' })

/** A kernel as the older ones are: where the mode reports that it could only empty a unit, the unit still stands. */
function olderKernel() {
  const there = new Map<Unit, string>()
  const commands: string[] = []
  const kernel: Kernel = {
    run: async ({ input = '' }) => {
      commands.push(input)
      return DONE
    },
  }
  const mode: Mode = {
    ...older,
    write: plan => {
      const emptied = older.emptied!(plan)
      applied(there, plan)
      for (const unit of emptied) there.set(unit, '')
      return older.write(plan)
    },
    read: async (): Promise<Ruleset> => new Map(there),
  }
  return { kernel, mode, there, commands }
}

const WEB = [
  { unit: LB, text: 'dnat to somewhere' },
  { unit: ELEMENT, text: ': goto cluster-ip-lb-tcp-2' },
]

/** A Service has come and gone. */
async function emptied() {
  const { kernel, mode, ...rest } = olderKernel()
  const book = new Book()
  const sync = new Sync(mode, kernel, { clock: new PaperClock() })
  book.put('shop/web', WEB)
  await sync.run(book)
  book.remove('shop/web')
  await sync.run(book)
  return { ...rest, book, sync }
}

test('an emptied chain is deleted after the next read, and is not reported as drift', async () => {
  const { there, commands, book, sync } = await emptied()
  expect([...there]).toEqual([[LB, '']])
  expect(commands.at(-1)).not.toContain('delete chain')
  sync.forget()
  expect((await sync.run(book)).drift).toEqual([])
  expect(commands.at(-1)).toContain('delete chain')
  expect([...there]).toEqual([])
})

test('one that is wanted again is filled again, and what another program adds is reported', async () => {
  const { there, book, sync } = await emptied()
  book.put('shop/web', WEB)
  await sync.run(book)
  expect(there.get(LB)).toBe('dnat to somewhere')
  there.set(unit('chain cluster-ip-lb-tcp-7'), '')
  sync.forget()
  expect((await sync.run(book)).drift).toEqual(['chain cluster-ip-lb-tcp-7'])
})

test('one that is filled again is a unit like any other: what is believed of it is certain, and its loss is drift', async () => {
  const { there, book, sync } = await emptied()
  expect(sync.certain).toBe(undefined)
  book.put('shop/web', WEB)
  await sync.run(book)
  expect([...(sync.certain ?? [])].sort()).toEqual(WEB.map(({ unit, text }) => [unit, text]))
  there.delete(LB)
  sync.forget()
  expect((await sync.run(book)).drift).toEqual([LB])
})
