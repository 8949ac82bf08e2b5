import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Database } from '#ipam/leases/database/database.ts'
import { forgetOldest, historyOf, remember } from '#ipam/leases/records/history-rows.ts'
import { sortKey } from '#ipam/leases/records/sort-key.ts'
import { address, holder } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

test('history keeps the latest leases, and no more than it may', () => {
  const folder = memoryFolder('leases-')
  const database = Database.open(join(folder, 'ipam.db'))
  const ip = address('10.9.0.2')
  const lease = { ...holder('a'), address: ip, family: 'ipv4', set: 0, boot: 'b', state: 'assigned' } as const
  for (let at = 0; at < 10; at++) {
    remember(database, { ...lease, key: sortKey(ip), at }, { at: at + 1, why: 'DEL' })
    forgetOldest(database, 3)
  }
  expect(historyOf(database, sortKey(ip)).map(({ at, ended }) => [at, ended])).toEqual([
    [9, 10],
    [8, 9],
    [7, 8],
  ])
  database.close()
  rmSync(folder, { recursive: true })
})
