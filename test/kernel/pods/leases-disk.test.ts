import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// The database of leases on a disk that is full, and on one that can only be read: real file systems, in a mount namespace of
// their own.

const PROGRAM = join(import.meta.dirname, 'leases-program.ts')
const MOUNTED = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" "$3" "$1"'
const why = process.getuid?.() === 0 ? undefined : 'only root may mount'

const FULL = {
  fault: 'full',
  message: expect.stringMatching(/^the lease database \/.*\/ipam\.db cannot be written: the disk is full$/),
  details: expect.stringContaining('make room on its file system (df /'),
}
const NO_ROOM = { ...FULL, details: expect.stringContaining('what room is left is for pods that end') }
const READ_ONLY = {
  fault: 'read-only',
  message: expect.stringMatching(/^the lease database \/.*\/ipam\.db cannot be written: /),
  details: expect.stringContaining('findmnt -T /'),
}

describe.skipIf(why !== undefined)(`leases on a bad disk${why ? ` (skipped: ${why})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-disk-'))
  let seen: Readonly<Record<'start' | 'use' | 'reserve' | 'late' | 'readOnly', Readonly<Record<string, unknown>>>>

  beforeAll(() => {
    const argv = ['--mount', 'sh', '-c', MOUNTED, 'sh', folder, process.execPath, PROGRAM]
    const { stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' })
    expect(stderr).toBe('')
    seen = JSON.parse(stdout)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('no database is begun where it has no room, and no half of one is left', () => {
    expect(seen.start).toEqual({ opened: FULL, left: 'nothing' })
  })

  test('what was given stays given when the disk gets full, and what was not given is not held', () => {
    expect(seen.use).toMatchObject({ before: 'done', during: FULL, lost: 0, refused: 0 })
  })

  test('once there is room again, all goes on', () => {
    expect(seen.use).toMatchObject({ release: 'done', after: 'done' })
  })

  test('pods that end give their addresses back on a full disk, and what room that needs no other pod gets', () => {
    expect(seen.reserve).toMatchObject({ ready: NO_ROOM, gone: 50, left: 0 })
    expect(seen.reserve).toMatchObject({ taken: Array(5).fill(NO_ROOM), held: 0, status: NO_ROOM })
  })

  test('a reserve that was given up is there again once there is room, and so are addresses', () => {
    expect(seen.reserve).toMatchObject({ after: 'done', again: 'done', whole: true })
  })

  test('so it is without a daemon, where each call opens the database', () => {
    expect(seen.late).toMatchObject({ gone: 50, left: 0, taken: Array(20).fill(NO_ROOM), last: 'done', after: 'done' })
    expect(seen.late).toMatchObject({ whole: true })
  })

  test('on a disk that can only be read leases can be listed, and a change is one clear error', () => {
    expect(seen.readOnly).toMatchObject({
      ...{ before: { here: 3, there: 3 }, alone: { there: 3 } },
      ...{ opened: 'done', taken: READ_ONLY, fresh: READ_ONLY },
    })
  })

  test('a daemon that was started then is not ready, and goes on by itself once the disk can be written', () => {
    expect(seen.readOnly.again).toEqual({ ready: READ_ONLY, refused: READ_ONLY, done: ['done', 'done', 'done'] })
  })
})
