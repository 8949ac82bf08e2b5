import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { clearError, networksIn, ofNetwork, required } from '#ipam/commands/answer.ts'
import { LeaseStoreFailed } from '#ipam/leases/store-failed.ts'
import { memoryFolder } from '../../support/memory-folder.ts'

// What the commands of ipam say where there is nothing to answer with.

test('without a database there is an error that names it and the flag for another, and none is made', () => {
  const folder = memoryFolder('switchyard-answer-')
  const path = join(folder, 'ipam.db')
  expect(() => networksIn(path, 0)).toThrow(
    `there is no lease database at ${path}: no plugin of Switchyard has given an address on this node yet (--database names another one)`,
  )
  expect(readdirSync(folder)).toEqual([])
  rmSync(folder, { recursive: true })
})

test('what was found is passed on, also where it is nothing', () => {
  expect([required([], 'x'), required(0, 'x')]).toEqual([[], 0])
})

describe('a network that is asked for', () => {
  const all = [
    { network: 'pods', set: 0 },
    { network: 'pods', set: 1 },
    { network: 'storage', set: 0 },
  ]

  test('is answered with all that it has, and without a name all are', () => {
    expect(ofNetwork(all, 'pods')).toEqual([all[0], all[1]])
    expect(ofNetwork(all, undefined)).toEqual(all)
  })

  test('and is not there is named beside those that are, each once', () => {
    expect(() => ofNetwork(all, 'pod')).toThrow(
      '--network: no network "pod" has given an address on this node; those that have: pods, storage',
    )
    expect(() => ofNetwork([], 'pod')).toThrow('those that have: none')
  })
})

describe('an error', () => {
  test.each([
    [{ code: 'ENOENT', path: '/a/b' }, 'export: /a/b: there is no such directory (ENOENT)'],
    [{ code: 'ENOSPC' }, 'export: a file in it: the disk is full (ENOSPC)'],
  ])('of the file system says what was asked, where, and why in plain words', (fields, said) => {
    expect(clearError(Object.assign(new Error('raw'), fields), 'export')).toMatchObject({ message: said })
  })

  test('of the lease store has its details', () => {
    const failed = new LeaseStoreFailed('damaged', 'the lease database is damaged', 'restore it from an export')
    expect(clearError(failed, 'ls')).toMatchObject({
      message: 'the lease database is damaged; restore it from an export',
    })
  })

  test('of any other kind stays as it is', () => {
    const error = new TypeError('a bug')
    expect(clearError(error, 'ls')).toBe(error)
  })
})
