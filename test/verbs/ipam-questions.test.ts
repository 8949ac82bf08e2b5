import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { systemClock } from '#system/clock.ts'
import { hostFiles } from '#system/plugin-files.ts'
import { holder, leaseRequest, SMALL, SMALL6 } from '../support/leases.ts'

// The questions of `ipam`, as a user types them.

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

let folder: string
let database: string
let book: SqliteLeaseBook
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ipam-'))
  database = join(folder, 'ipam.db')
  book = SqliteLeaseBook.open({ path: database, clock: systemClock, boot: await hostFiles.bootId() })
  const gone = { netns: join(folder, 'no-such-namespace'), namespaceId: '4:1' }
  await book.take(leaseRequest('a', { pod: 'default/blue', sets: [SMALL, SMALL6], ...gone }))
  await book.take(leaseRequest('b', { pod: 'default/green', cooldownMs: 3_600_000, sets: [SMALL, SMALL6] }))
  await book.release(holder('b'), 'DEL')
})
afterEach(() => {
  book.close()
  rmSync(folder, { recursive: true })
})

function ipam(...words: readonly string[]) {
  const argv = [MAIN, 'ipam', ...words, `--database=${database}`]
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

const first = (text: string) => text.split('\n')[0]

describe('ipam who, next and status', () => {
  test('answer beside the process that writes', () => {
    expect(first(ipam('who', '10.9.0.2').stdout)).toBe(
      '10.9.0.2: ASSIGNED in network mynet, to default/blue (container a eth0)',
    )
    expect(ipam('who', '10.9.0.3', '--at', '10h').stdout).toMatch(/^10\.9\.0\.3 at \S+Z: no pod had it\n$/)
    expect(ipam('who', '10.9.0.3').stdout).toMatch(/\nBefore:\nSINCE .*\n.* default\/green +b +eth0 +mynet +DEL\n$/)
    const { next } = JSON.parse(ipam('next', '-o', 'json').stdout)
    expect(next.map(({ address }: { readonly address: string }) => address)).toEqual(['10.9.0.4', 'fd00:9::4'])
    expect(ipam('status')).toMatchObject({
      ...{ status: 0, stderr: '' },
      stdout: expect.stringMatching(/^NETWORK .*\nmynet +10\.9\.0\.0\/29 +5 +1 +1 +0 +3 +40% .*\nmynet .*\n$/),
    })
  })

  test('end with 1 where there is something to do, and with 2 where they could not look', async () => {
    for (const name of ['c', 'd', 'e']) await book.take(leaseRequest(name, { sets: [SMALL, SMALL6] }))
    expect([ipam('next').status, ipam('status').status]).toEqual([1, 1])
    database = join(folder, 'absent.db')
    expect([ipam('next').status, ipam('status').status, ipam('who', '10.9.0.2').status]).toEqual([2, 2, 1])
  })
})

describe('ipam release', () => {
  test('takes nothing from a pod that is on its way up, unless it must', () => {
    expect(ipam('release', 'a/eth0')).toEqual({
      ...{ status: 1, stdout: '' },
      stderr: expect.stringMatching(/^Error: 10\.9\.0\.2 and fd00:9::2 of default\/blue .*: not released, .*\n$/),
    })
    expect(ipam('release', '10.9.0.2', '--force')).toMatchObject({ status: 0, stderr: '' })
    expect(ipam('who', '10.9.0.2').stdout).toMatch(/^10\.9\.0\.2: FREE .* released by hand: /s)
  })
})

describe('ipam plan', () => {
  test('prints the block of ipcalc -b and what fits below it, without a database', () => {
    database = join(folder, 'absent.db')
    const block = readFileSync(new URL('../../fixtures/ipcalc/blocks.txt', import.meta.url), 'utf8').split('\n\n')[0]
    const { stdout, status } = ipam('plan', '10.19.9.9/24', '--node-mask=26', '--pods-per-node=30')
    expect([status, stdout.slice(0, block!.length)]).toEqual([0, block])
    expect(stdout).toContain('\nNodes:     4 ')
    expect(ipam('plan', '10.19.9.9/24', '--node-mask=26')).toMatchObject({
      ...{ status: 1, stderr: '' },
      stdout: expect.stringContaining('\nWarning:   a node has 61 addresses for 110 pods: 49 of them get none\n'),
    })
    const services = ['plan', '10.0.0.0/16', '--service-cluster-ip-range=10.0.0.0/20,fd00::/108', '-o', 'json']
    expect(JSON.parse(ipam(...services).stdout)).toMatchObject({ nodes: 240, lostNodes: 16 })
  })
})

test.each([
  [['who'], 'ipam who needs an ADDRESS: such as 10.244.1.7'],
  [['who', 'blue'], 'ipam who: "blue" is no address; one such as 10.244.1.7 is wanted'],
  [['next', 'x'], 'ipam next stands alone, got "x"'],
  [['release', 'a'], 'ipam release: "a" is neither an address such as 10.244.1.7 nor CONTAINER/IFNAME'],
  [['plan', '10.0.0.0/31'], 'ipam plan: 10.0.0.0/31 is too small for pods: a node needs a /30 at least'],
  [
    ['plan', '10.0.0.0/8', '--node-mask=31'],
    '--node-mask: invalid value 31: must be from 8, that of 10.0.0.0/8 itself, to 30',
  ],
  [
    ['plan', '10.0.0.0/8', '--pods-per-node=0'],
    '--pods-per-node: invalid value 0: must be within the range [1, 65536]',
  ],
  [
    ['who', '10.9.0.2', '--at=noon'],
    '--at: invalid value "noon": must be a time such as 2026-11-29T07:00:00Z, or a duration for that long ago, such as 10m',
  ],
])('%j is refused with one line', (words, line) => {
  expect(ipam(...words)).toMatchObject({ stdout: '', stderr: `Error: ${line}\n` })
})

describe('ipam ls --watch', () => {
  test('goes on until Ctrl-C, and then ends well', async () => {
    const child = spawn(process.execPath, [MAIN, 'ipam', 'ls', '--watch', `--database=${database}`])
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    const lists = () => printed.match(/^# mynet .*$/gm) ?? []
    await expect.poll(() => lists().length).toBe(1)
    await book.take(leaseRequest('c', { sets: [SMALL, SMALL6] }))
    await expect.poll(() => lists().length).toBe(2)
    expect(lists()[1]).toContain(': 4 assigned, 2 cooling down')
    const ended = once(child, 'exit')
    child.kill('SIGINT')
    expect(await ended).toEqual([0, null])
  })

  test('ends where its reader is gone', async () => {
    const child = spawn(process.execPath, [MAIN, 'ipam', 'ls', '--watch', `--database=${database}`])
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    child.stdout.destroy()
    await book.take(leaseRequest('c', { sets: [SMALL, SMALL6] }))
    expect(await ended).toEqual([0, null])
  })
})
