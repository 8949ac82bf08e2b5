import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { systemClock } from '#system/clock.ts'
import { memoryFolder } from '../../support/memory-folder.ts'

// The daemon and the process that works without it, and more of them, on one database, and killed at any moment.

const PROGRAM = join(import.meta.dirname, 'lease-process.ts')

let folder: string
let path: string
beforeEach(() => {
  folder = memoryFolder('leases-')
  path = join(folder, 'ipam.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

function start(name: string, seed: number, count: number): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [PROGRAM, path, name, String(seed), String(count)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function output(child: ChildProcessByStdio<null, Readable, Readable>) {
  const [lines, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { lines: lines.split('\n').filter(line => line !== ''), errors, code: code as number | null, signal }
}

/** What a process that printed these lines holds: for certain, and perhaps. */
function heldBy(lines: readonly string[]) {
  const certain = new Map<string, string>()
  const perhaps = new Map<string, string>()
  for (const line of lines) {
    const [sign, container = '', address = ''] = line.split(' ')
    if (sign === '+') certain.set(container, address)
    if (sign === '?') {
      perhaps.set(container, certain.get(container)!)
      certain.delete(container)
    }
    if (sign === '-') perhaps.delete(container)
  }
  return { certain, perhaps }
}

function inDatabase(): ReadonlyMap<string, string> {
  const leases = readLeases(path, Date.now())!.flatMap(one => one.leases)
  const assigned = leases.filter(({ state, network }) => state === 'assigned' && network === 'mynet')
  expect(new Set(assigned.map(({ address }) => address)).size).toBe(assigned.length)
  return new Map(assigned.map(({ container, address }) => [container, address]))
}

function verify(): void {
  const book = SqliteLeaseBook.open({ path, clock: systemClock, boot: 'b' })
  book.verify()
  book.close()
}

test('several processes at once give no address twice, and lose none', async () => {
  const outputs = await Promise.all([1, 2, 3, 4].map(n => output(start(`p${n}`, n * 7919, 60))))
  for (const { code, errors } of outputs) expect({ code, errors }).toEqual({ code: 0, errors: '' })
  const held = outputs.flatMap(({ lines }) => [...heldBy(lines).certain])
  expect(held.length).toBeGreaterThan(10)
  expect(new Map(held)).toEqual(inDatabase())
  verify()
})

test('a process that is killed at any moment has what it said it had, and the next one goes on', async () => {
  const known = { certain: new Map<string, string>(), perhaps: new Map<string, string>() }
  for (let round = 0; round < 8; round++) {
    const children = [start(`r${round}a`, round * 31 + 1, 10_000), start(`r${round}b`, round * 37 + 2, 10_000)]
    const outputs = children.map(output)
    const ended = children.map(child => once(child, 'close'))
    for (const [i, child] of children.entries()) {
      // After some lines of its own, and then at no moment in particular.
      for (let n = 0; n <= (round * 3 + i) % 5; n++) await Promise.race([once(child.stdout, 'data'), ended[i]])
      for (let n = 0; n < (round * 5 + i * 3) % 17; n++) await new Promise(setImmediate)
      child.kill('SIGKILL')
    }
    for (const { lines, errors } of await Promise.all(outputs)) {
      expect(errors).toBe('')
      const { certain, perhaps } = heldBy(lines)
      for (const [container, address] of certain) known.certain.set(container, address)
      for (const [container, address] of perhaps) known.perhaps.set(container, address)
    }
    const found = inDatabase()
    expect([...known.certain].filter(([container, address]) => found.get(container) !== address)).toEqual([])
    verify()
    // The rest belongs to changes that were durable and not yet printed: at most what one turn asks for.
    const rest = [...found.keys()].filter(one => !known.certain.has(one) && !known.perhaps.has(one))
    expect(rest.length).toBeLessThanOrEqual((round + 1) * 2 * 3)
    await freeSome(known, 20)
  }
}, 300_000)

/** As long as leases only grow, there is soon nothing left to take. */
async function freeSome(known: ReturnType<typeof heldBy>, least: number): Promise<void> {
  const book = SqliteLeaseBook.open({ path, clock: systemClock, boot: 'b' })
  const containers = [...inDatabase().keys()]
  for (const container of containers.slice(0, Math.max(0, containers.length - least))) {
    await book.release({ network: 'mynet', container, ifname: 'eth0' }, 'DEL')
    known.certain.delete(container)
    known.perhaps.delete(container)
  }
  book.close()
}
