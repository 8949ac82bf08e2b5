import { LeaseRefused } from '#ipam/leases/lease-book.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { LeaseStoreFailed } from '#ipam/leases/store-failed.ts'
import { systemClock } from '#system/clock.ts'
import { holder, leaseRequest, range } from '../../support/leases.ts'

// A process that takes and releases leases beside others: PATH NAME SEED COUNT. Each line it prints is a change that was
// durable before it was printed: `+ CONTAINER ADDRESS` or `- CONTAINER`.

const [path = '', name = '', seed = '1', count = '1'] = process.argv.slice(2)
const SETS = [[range('10.9.0.0/26 10.9.0.1-10.9.0.62')]] as const

let state = Number(seed)
function chance(): number {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31
  return state / 2 ** 31
}

const book = SqliteLeaseBook.open({ path, clock: systemClock, boot: 'b' })
const held = new Set<string>()
for (let i = 0; i < Number(count); i++) {
  if (chance() < 0.02) await keepHalf()
  else if (chance() < 0.4) await release()
  else await Promise.all(Array.from({ length: 1 + Math.floor(chance() * 3) }, (_, j) => take(`${name}-${i}-${j}`)))
}
book.close()

async function take(container: string): Promise<void> {
  try {
    const [lease] = await book.take(leaseRequest(container, { sets: SETS, cooldownMs: chance() < 0.5 ? 0 : 5 }))
    held.add(container)
    say(`+ ${container} ${lease!.address}`)
  } catch (error) {
    // The others may hold all there are.
    if (!(error instanceof LeaseRefused)) throw error
  }
}

async function release(): Promise<void> {
  const [container] = held
  if (container === undefined) return
  held.delete(container)
  say(`? ${container}`)
  const leases = await book.release(holder(container), 'DEL')
  if (leases.length !== 1) throw new Error(`${container} had ${leases.length} leases`)
  say(`- ${container}`)
}

/** Of a network that only this process uses, as GC must not run beside an ADD. */
async function keepHalf(): Promise<void> {
  const network = `of-${name}`
  const names = ['x', 'y'].map(one => `${name}-${one}`)
  for (const one of names) await book.take(leaseRequest(one, { network, sets: SETS })).catch(refusedOrBusy)
  await book.keepOnly(network, [], 'GC')
}

function refusedOrBusy(error: unknown): void {
  if (!(error instanceof LeaseRefused) && !(error instanceof LeaseStoreFailed)) throw error
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
