import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type NodeMachine, nodeMachine, PLUGINS } from '#cni/daemon/machine.ts'
import { LeaseStoreFailed } from '#ipam/leases/store-failed.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { heldLeases, leaseRequest } from '../../support/leases.ts'

let folder: string
let database: string
let machine: NodeMachine
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'machine-'))
  database = join(folder, 'ipam.db')
  machine = nodeMachine({ kernel: new PaperKernel(), clock: new PaperClock(), database })
})
afterEach(() => {
  machine.close()
  rmSync(folder, { recursive: true })
})

test('a machine of which no call asks a lease has no database', async () => {
  await machine.idle()
  machine.close()
  expect(existsSync(database)).toBe(false)
})

test('each book is opened once, and all are of one database', async () => {
  const [book, leaks] = [await machine.leases(), await machine.leaks()]
  expect([await machine.leases(), await machine.leaks()]).toEqual([book, leaks])
  expect(await machine.rules()).toBe(await machine.rules())
  expect(await machine.grants()).toBe(await machine.grants())
  expect(await machine.dhcpLeases()).toBe(await machine.dhcpLeases())
  await book.take(leaseRequest('c1'))
  expect((await heldLeases(leaks)).map(({ container }) => container)).toEqual(['c1'])
})

test('a machine that was closed opens its books anew, with what was in them', async () => {
  const before = await machine.leases()
  await before.take(leaseRequest('c1'))
  await machine.rules()
  machine.close()
  machine.close()
  const after = await machine.leases()
  expect(after).not.toBe(before)
  expect(await after.held({ network: 'mynet', container: 'c1', ifname: 'eth0' })).toHaveLength(1)
})

test('a database that cannot be opened fails the call that needs it, and the next one tries again', async () => {
  writeFileSync(database, 'no database at all')
  await expect(machine.leases()).rejects.toThrow(LeaseStoreFailed)
  await expect(machine.leaks()).rejects.toThrow(LeaseStoreFailed)
  rmSync(database)
  expect(await (await machine.leases()).take(leaseRequest('c1'))).toHaveLength(1)
})

test('plugins are those that the helper is installed as', () => {
  expect(PLUGINS.map(({ type }) => type).sort()).toEqual(['bridge', 'dhcp', 'host-local', 'loopback', 'portmap'])
})
