import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CallHistory } from '#cni/daemon/page/call-history.ts'
import { RoutePicture } from '#cni/daemon/page/route-picture.ts'
import { podsSources } from '#cni/daemon/page/sources.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { keyOf } from '#routes/plan/difference.ts'
import { leaseRequest, SMALL, setOf } from '../../../support/leases.ts'
import { cidr, ip } from '../../../support/objects.ts'

let folder: string
let database: string
let clock: PaperClock
let picture: RoutePicture
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'page-sources-'))
  database = join(folder, 'ipam.db')
  clock = new PaperClock(Date.now())
  picture = new RoutePicture()
})
afterEach(() => rmSync(folder, { recursive: true }))

const sources = () =>
  podsSources({
    ...{ nodeName: 'n1', clock, calls: new CallHistory(), picture, underWay: () => 3, rangesFrom: 'ring', database },
    clusterRanges: [{ name: 'Ring', ranges: ['10.32.0.0/12'] }],
  })

async function health() {
  const { checks, troubles, facts } = (await sources()).health.health()
  const words = Object.fromEntries(checks.map(({ name, word, isGood }) => [name, isGood ? word : `not good: ${word}`]))
  return { words, troubles, facts: Object.fromEntries(facts.map(({ name, value }) => [name, value])) }
}

async function withBook(work: (book: SqliteLeaseBook) => Promise<unknown>): Promise<void> {
  const book = SqliteLeaseBook.open({ path: database, clock, boot: 'b' })
  await work(book)
  book.close()
}

/** Routes to other nodes, of which some do not stand. */
function routed(count: number, standing: number): void {
  const routes = Array.from({ length: count }, (_, i) => ({
    ...{ node: `n${i}`, destination: cidr(`10.244.${i}.0/24`), gateway: ip(`10.0.0.${i + 1}`), link: 'eth0' },
    isOnLink: false,
  }))
  picture.round(
    {
      ...{ self: { name: 'n1', addresses: [], ranges: [] }, plan: { routes, refused: [] }, changes: [], repaired: [] },
      ...{ refused: [], standing: new Set(routes.slice(0, standing).map(keyOf)), links: new Set(['eth0']) },
    },
    1,
  )
}

describe('the health of a node’s pod network', () => {
  test('is good where nothing is there yet, with where ranges come from and what is under way', async () => {
    const { words, troubles, facts } = await health()
    expect(words).toEqual({ Leases: 'readable', Addresses: 'free', Routes: 'standing' })
    expect([troubles, facts['Ranges from'], facts['Calls under way']]).toEqual([[], 'ring', '3'])
  })

  test('is not where leases cannot be read, and says why', async () => {
    writeFileSync(database, 'no database at all')
    const { words, troubles } = await health()
    expect(words).toEqual({ Leases: 'not good: not readable', Addresses: 'free', Routes: 'standing' })
    expect(troubles).toEqual([expect.stringMatching(/^The database of leases cannot be read: \S/)])
  })

  test('is not where a network has no address left, which is said once, however many sets it has', async () => {
    const sets = [SMALL, setOf('10.8.0.0/29')]
    await withBook(async book => {
      for (let i = 0; i < 5; i++) await book.take(leaseRequest(`c${i}`, { sets }))
    })
    const { words, troubles } = await health()
    expect(words.Addresses).toBe('not good: full')
    expect(troubles).toEqual(['Network mynet has no free address: the next pod gets none.'])
  })

  test('is not where routes do not stand, with how many', async () => {
    routed(3, 3)
    expect((await health()).words.Routes).toBe('standing')
    routed(3, 1)
    const { words, troubles } = await health()
    expect(words.Routes).toBe('not good: refused')
    expect(troubles).toEqual(['2 routes to other nodes do not stand: see Routes.'])
  })
})

test('a page hears of leases and of routes, and nothing is looked at once it is closed', async () => {
  const { ranges, routes, calls } = await sources()
  let changes = 0
  const end = ranges!.follow(() => changes++)
  await clock.advance(400)
  const before = changes
  routed(1, 1)
  expect(changes).toBe(before + 1)
  await withBook(book => book.take(leaseRequest('a')))
  await clock.advance(800)
  expect(changes).toBeGreaterThan(before + 1)
  end()
  await clock.advance(400)
  routed(1, 1)
  expect(clock.sleepers).toBe(0)
  expect([ranges!.cluster(), routes!.routes()?.routes.length, calls!.calls()]).toEqual([
    [{ name: 'Ring', ranges: ['10.32.0.0/12'] }],
    1,
    [],
  ])
})
