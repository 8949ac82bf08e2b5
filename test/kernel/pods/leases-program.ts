import { cpSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RESERVE_BYTES } from '#ipam/leases/database/reserve.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { LeaseStoreFailed } from '#ipam/leases/store-failed.ts'
import { anyCommand } from '#lab/any-command.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { holder, leaseRequest, range } from '../../support/leases.ts'

// Leases on a disk that gets full, and then on one that can only be read. Runs in a mount namespace of its own, on a small
// tmpfs: FOLDER. Prints what happened, as JSON.

const [folder = ''] = process.argv.slice(2)
const path = join(folder, 'state', 'ipam.db')
const sets = [[range('10.9.0.0/16 10.9.0.1-10.9.255.254')]] as const
const open = (where = path) => SqliteLeaseBook.open({ path: where, clock: systemClock, boot: 'b' })

async function outcome(work: () => unknown): Promise<unknown> {
  try {
    await work()
    return 'done'
  } catch (error) {
    if (error instanceof LeaseStoreFailed) return { fault: error.fault, message: error.message, details: error.details }
    return String(error)
  }
}

const take = (book: SqliteLeaseBook, name: string) => outcome(() => book.take(leaseRequest(name, { sets })))
const ballast = join(folder, 'ballast')

async function fullFromTheStart(): Promise<unknown> {
  fill()
  const opened = await outcome(() => open())
  const left = readLeases(path, 0)
  rmSync(ballast)
  return { opened, left: left ?? 'nothing' }
}

async function fullWhileInUse() {
  const book = open()
  const before = await take(book, 'a')
  fill()
  // The journal has some room that it has used before.
  let during: unknown = 'done'
  let taken = 0
  for (; during === 'done' && taken < 10_000; taken++) during = await take(book, `f${taken}`)
  const refused = await book.held(holder(`f${taken - 1}`))
  const known = (await Promise.all(Array.from({ length: taken - 1 }, (_, i) => book.held(holder(`f${i}`))))).flat()
  const release = await outcome(() => book.release(holder('a'), 'DEL'))
  rmSync(ballast)
  const after = await take(book, 'z')
  book.verify()
  book.close()
  return { before, during, lost: taken - 1 - known.length, refused: refused.length, release, after }
}

const FIFTY = Array.from({ length: 50 }, (_, i) => `p${i}`)
const isWhole = () => statSync(`${path}-reserve`).size === RESERVE_BYTES

/** One process for all calls, as the daemon is. */
async function fullWhilePodsEnd() {
  const book = open()
  for (const name of FIFTY) await book.take(leaseRequest(name, { sets }))
  fill()
  let full: unknown = 'done'
  for (let i = 0; full === 'done' && i < 10_000; i++) full = await take(book, `more${i}`)
  const ready = await outcome(() => book.ready())
  let gone = 0
  for (const name of FIFTY) gone += (await book.release(holder(name), 'DEL')).length
  const left = (await Promise.all(FIFTY.map(name => book.held(holder(name))))).flat().length
  const taken = await Promise.all(Array.from({ length: 5 }, (_, i) => take(book, `n${i}`)))
  const held = (await book.held(holder('n0'))).length
  const status = await outcome(() => book.ready())
  rmSync(ballast)
  const [after, again] = [await outcome(() => book.ready()), await take(book, 'n0')]
  book.verify()
  book.close()
  return { ready, gone, left, taken, held, status, after, again, whole: isWhole() }
}

/** One for each call: the journal goes with each, and the next has to begin it on a full disk. */
async function fullBetweenCalls() {
  const first = open()
  for (const name of FIFTY) await first.take(leaseRequest(name, { sets }))
  await first.take(leaseRequest('last', { sets }))
  first.close()
  fill()
  const called = async (work: (book: SqliteLeaseBook) => unknown) =>
    outcome(async () => {
      const book = open()
      try {
        return await work(book)
      } finally {
        book.close()
        fill()
      }
    })
  const taken: unknown[] = []
  for (let i = 0; i < 20; i++) taken.push(await called(book => book.take(leaseRequest(`l${i}`, { sets }))))
  let gone = 0
  for (const name of FIFTY)
    await called(async book => {
      gone += (await book.release(holder(name), 'DEL')).length
    })
  const last = await called(book => book.release(holder('last'), 'DEL'))
  rmSync(ballast)
  const book = open()
  const left = (await Promise.all(FIFTY.map(name => book.held(holder(name))))).flat().length
  const after = await take(book, 'l0')
  book.verify()
  book.close()
  return { gone, left, taken, last, after, whole: isWhole() }
}

/** The same folder, seen through a mount that can only be read. */
async function onlyReadable() {
  const seen = join(folder, 'seen')
  await mountedReadOnly(join(folder, 'state'), seen)
  const readOnly = join(seen, 'ipam.db')
  const look = async () => {
    let count: number | undefined
    const looked = await outcome(() => {
      count = readLeases(readOnly, 0)?.[0]?.leases.length
    })
    return count ?? looked
  }
  const book = open()
  const before = { here: readLeases(path, 0)?.[0]?.leases.length, there: await look() }
  const opened = await outcome(() => open(readOnly).close())
  const taken = await outcome(() => open(readOnly).take(leaseRequest('r', { sets })))
  book.close()
  const alone = { there: await look() }
  const fresh = await outcome(() => open(join(seen, 'new', 'ipam.db')))
  const again = await writableAgain()
  return { before, opened, taken, alone, fresh, again }
}

async function mountedReadOnly(from: string, seen: string): Promise<void> {
  mkdirSync(seen)
  await run('mount', '--bind', from, seen)
  await run('mount', '-o', 'remount,bind,ro', seen)
}

async function run(...argv: [string, ...string[]]): Promise<void> {
  await must(hostKernel(), anyCommand(argv))
}

/** A daemon that was started while the file system could only be read, on what a killed one has left, goes on by itself. */
async function writableAgain() {
  const [left, seen] = [join(folder, 'left'), join(folder, 'seen-again')]
  const book = open()
  cpSync(join(folder, 'state'), left, { recursive: true })
  book.close()
  await mountedReadOnly(left, seen)
  const again = open(join(seen, 'ipam.db'))
  const [ready, refused] = [await outcome(() => again.ready()), await take(again, 'r')]
  await run('mount', '-o', 'remount,bind,rw', seen)
  const done = [await outcome(() => again.ready()), await take(again, 'r'), await take(again, 's')]
  again.close()
  return { ready, refused, done }
}

/** To the last block: a file system may have fewer than it says. */
function fill(): void {
  for (const bytes of [65_536, 4096]) {
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(bytes), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}

const result = {
  start: await fullFromTheStart(),
  use: await fullWhileInUse(),
  reserve: await fullWhilePodsEnd(),
  late: await fullBetweenCalls(),
  readOnly: await onlyReadable(),
}
process.stdout.write(JSON.stringify(result))
