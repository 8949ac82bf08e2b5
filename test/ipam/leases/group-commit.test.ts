import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Database } from '#ipam/leases/database/database.ts'
import { GroupCommit } from '#ipam/leases/database/group-commit.ts'

// Changes of pods that start at once share a wait for the disk.

let folder: string
let database: Database
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'group-'))
  database = Database.open(join(folder, 'ipam.db'))
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

test('what is asked for in one turn is one transaction', async () => {
  const commits = vi.spyOn(database, 'writeNow')
  const changes = new GroupCommit(database)
  await Promise.all([1, 2, 3].map(number => changes.change(() => number)))
  expect(commits).toHaveBeenCalledTimes(1)
})

test('callers that are on their way are waited for', async () => {
  const commits = vi.spyOn(database, 'writeNow')
  let onTheirWay = 3
  const changes = new GroupCommit(database, () => onTheirWay)
  const first = changes.change(() => 1)
  const second = new Promise(resolve => setImmediate(resolve)).then(() => changes.change(() => 2))
  onTheirWay = 2
  expect(await Promise.all([first, second])).toEqual([1, 2])
  expect(commits).toHaveBeenCalledTimes(1)
})

test('but not for long: one that never asks keeps no pod waiting', async () => {
  const changes = new GroupCommit(database, () => 2)
  expect(await changes.change(() => 1)).toBe(1)
})
