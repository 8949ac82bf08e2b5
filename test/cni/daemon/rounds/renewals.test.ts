import { expect, test } from 'vitest'
import { watchRenewals } from '#cni/daemon/rounds/renewals.ts'
import type { Renewal } from '#cni/plugins/dhcp/renewal.ts'
import type { DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { captureLog } from '../../../support/captured-log.ts'
import { address } from '../../../support/leases.ts'
import { paperMachine } from '../../parts.ts'

const RECORD = {
  owner: { network: 'lan', container: 'a', ifname: 'eth0', pod: 'default/a' },
  lease: { address: address('10.77.0.9'), server: address('10.77.0.1'), expiresAt: 3_600_000 },
} as unknown as DhcpRecord

async function watching(answers: (readonly Renewal[] | Error)[], parts = machineWithPackets()) {
  const [clock, stop, log, outcomes] = [new PaperClock(), new AbortController(), captureLog(2), [] as string[]]
  let asked = 0
  const watch = watchRenewals({
    machine: parts,
    clock,
    log: log.log,
    observed: outcome => outcomes.push(outcome),
    signal: stop.signal,
    renew: async (_, report) => {
      asked += 1
      const next = answers.shift() ?? []
      if (next instanceof Error) throw next
      next.forEach(report)
    },
  })
  await clock.advance(20_000)
  stop.abort()
  await watch
  return { lines: log.lines, outcomes, asked }
}

function machineWithPackets() {
  return {
    ...paperMachine(),
    packets: { open: () => Promise.reject(new Error()) },
    dhcpLeases: async () => ({}) as never,
  }
}

test('what became of each lease is logged and counted', async () => {
  const { lines, outcomes, asked } = await watching([
    [{ record: RECORD, became: 'renewed' }],
    [
      { record: RECORD, became: 'unanswered', why: 'no answer' },
      { record: RECORD, became: 'expired', why: 'no server extended it in time' },
    ],
    [{ record: RECORD, became: 'ended', why: 'its interface is gone' }],
  ])
  const pairs = 'ip="10.77.0.9" pod="default/a" network="lan" container="a" ifname="eth0" server="10.77.0.1"'
  expect(lines).toEqual([
    `"Lease of DHCP server was due" became="renewed" ${pairs}`,
    `"DHCP server did not answer" became="unanswered" ${pairs} why="no answer" expires="1970-01-01T01:00:00.000Z"`,
    `"Lease of DHCP server lost" became="expired" ${pairs} why="no server extended it in time" next="the interface is down until it is had back"`,
    `"Lease of DHCP server was due" became="ended" ${pairs} why="its interface is gone"`,
  ])
  expect(outcomes).toEqual(['renewed', 'unanswered', 'expired', 'ended'])
  expect(asked).toBe(5)
})

test('a database that cannot be read is reported once, and asked again', async () => {
  const { lines, asked } = await watching([new Error('busy'), new Error('busy'), []])
  expect(lines).toEqual(['"Leases of DHCP servers could not be renewed" err="busy" next="tried again every 5s"'])
  expect(asked).toBe(5)
})

test('without raw sockets there is nothing to renew', async () => {
  expect(await watching([], paperMachine() as never)).toMatchObject({ asked: 0, lines: [] })
})
