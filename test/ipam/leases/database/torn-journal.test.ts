import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { holder, leaseRequest, SMALL6 } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// A machine that loses its power while the journal is written: of what was under way there is all or nothing, and all that came
// before it.

const STEPS = ['+a', '+b', '-a', '+c', '+d', '-c', '+e'] as const
/** Within a page, at its edges, and one byte beside them. */
const CUTS = [0, 1, 100, 2048, 4095]
const FRAME = 4096 + 24
const HEADER = 32

function open(folder: string): SqliteLeaseBook {
  return SqliteLeaseBook.open({ path: join(folder, 'ipam.db'), clock: new PaperClock(1000), boot: 'b' })
}

function namesIn(folder: string): string {
  const leases = readLeases(join(folder, 'ipam.db'), 1000)?.[0]?.leases ?? []
  return leases.map(({ container }) => container).join('')
}

test('wherever the journal ends, the database is what it was after one of the changes', async () => {
  const [folder, copy] = [memoryFolder('leases-'), memoryFolder('leases-copy-')]
  open(folder).close()
  const book = open(folder)
  // Nothing but the journal changes until it has 1,000 pages.
  const before = readFileSync(join(folder, 'ipam.db'))
  const states = ['']
  for (const [sign, name] of STEPS) {
    if (sign === '+') await book.take(leaseRequest(name!, { sets: [SMALL6] }))
    else await book.release(holder(name!), 'DEL')
    states.push(namesIn(folder))
  }
  expect(states).toEqual(['', 'a', 'ab', 'b', 'bc', 'bcd', 'bd', 'bde'])
  const journal = readFileSync(join(folder, 'ipam.db-wal'))
  expect(readFileSync(join(folder, 'ipam.db')).equals(before)).toBe(true)

  const found: number[] = []
  for (let page = HEADER; page <= journal.length; page += FRAME) {
    for (const cut of CUTS) {
      const there = join(copy, `${page}-${cut}`)
      mkdirSync(there)
      copyFileSync(join(folder, 'ipam.db'), join(there, 'ipam.db'))
      writeFileSync(join(there, 'ipam.db-wal'), journal.subarray(0, page + cut))
      const recovered = open(there)
      recovered.verify()
      found.push(states.indexOf(namesIn(there)))
      expect((await recovered.take(leaseRequest('new', { sets: [SMALL6] }))).length).toBe(1)
      recovered.verify()
      recovered.close()
    }
  }
  book.close()
  for (const one of [folder, copy]) rmSync(one, { recursive: true })
  // Never an unknown state, never an older one than before, and each of them.
  expect(found).toEqual(found.toSorted((a, b) => a - b))
  expect([...new Set(found)]).toEqual(states.map((_, i) => i))
})
