import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { whyNot } from '../ground.ts'
import { type Call, type Said, SideBySide } from './reference-host-local.ts'

// What Debian's host-local does and ours does not: each test shows both, so a difference that goes away is seen.

const why = await whyNot(['ip', '/usr/lib/cni/host-local'])

describe.skipIf(why !== undefined)(`defects of the reference plugin${why === undefined ? '' : ` (${why})`}`, () => {
  let both: SideBySide
  beforeEach(() => {
    both = new SideBySide()
  })
  afterEach(() => both.end())

  const SMALL = { subnet: '10.66.0.0/30' }
  /** What each says, in short: its addresses, its error, or `ok` for nothing. */
  const call = async (
    command: Call['command'],
    container: string,
    more: Partial<Call> & { ipam?: object; name?: string } = {},
  ) => {
    const { ipam = SMALL, name = 'net1', ...rest } = more
    const config = { cniVersion: '1.0.0', name, ipam, ...rest.config }
    const { reference, ours } = await both.call({ command, container, ...rest, config })
    return { reference: short(reference), ours: short(ours) }
  }

  test('two networks with one subnet get the same address', async () => {
    const ipam = { subnet: '10.66.0.0/24' }
    expect(await call('ADD', 'c1', { ipam, name: 'net1' })).toEqual({ reference: '10.66.0.2/24', ours: '10.66.0.2/24' })
    expect(await call('ADD', 'c2', { ipam, name: 'net2' })).toEqual({ reference: '10.66.0.2/24', ours: '10.66.0.3/24' })
  })

  test('an address whose file is empty never comes back', async () => {
    await call('ADD', 'c1')
    writeFileSync(join(both.folder, 'networks', 'net1', '10.66.0.2'), '')
    expect(await call('DEL', 'c1')).toEqual({ reference: 'ok', ours: 'ok' })
    const again = await call('ADD', 'c1')
    expect(again.reference).toContain('no IP addresses available')
    expect(again.ours).toBe('10.66.0.2/30')
  })

  test.each([
    ['ranges that the runtime gave', { ipam: {} }],
    ['a range that is not valid any more', { ipam: { subnet: '10.66.0.1/30' } }],
    ['words in CNI_ARGS that are not known', { args: 'FOO=1' }],
  ])('a DEL fails and keeps the address: %s', async (_, more) => {
    await call('ADD', 'c1')
    const { reference, ours } = await call('DEL', 'c1', more)
    expect(reference).toMatch(/^999: /)
    expect(ours).toBe('ok')
    const next = await call('ADD', 'c2')
    expect(next.reference).toContain('no IP addresses available')
    expect(next.ours).toBe('10.66.0.2/30')
  })

  test('a CHECK passes where one of two addresses is gone', async () => {
    const dual = { ranges: [[SMALL], [{ subnet: 'fd00:66::/64' }]] }
    const prevResult = { cniVersion: '1.0.0', ips: [{ address: '10.66.0.2/30' }, { address: 'fd00:66::2/64' }] }
    await call('ADD', 'c1')
    const { reference, ours } = await call('CHECK', 'c1', { ipam: dual, config: { ipam: dual, prevResult } })
    expect(reference).toBe('ok')
    expect(ours).toBe('101: host-local: Failed to find address added by container c1')
  })

  test('the network and the broadcast address are given', async () => {
    const ipam = { subnet: '10.66.0.0/30', rangeStart: '10.66.0.0', rangeEnd: '10.66.0.3' }
    const given = { reference: [] as string[], ours: [] as string[] }
    for (const container of ['c1', 'c2', 'c3']) {
      const { reference, ours } = await call('ADD', container, { ipam })
      given.reference.push(reference)
      given.ours.push(ours)
    }
    expect(given.reference).toEqual(['10.66.0.0/30', '10.66.0.2/30', '10.66.0.3/30'])
    expect(given.ours).toEqual(['10.66.0.2/30', expect.stringContaining('no IP'), expect.stringContaining('no IP')])
  })

  test('a second ADD that asks for an address gets one more', async () => {
    const ipam = { subnet: '10.66.0.0/24' }
    await call('ADD', 'c1', { ipam })
    const { reference, ours } = await call('ADD', 'c1', { ipam, args: 'IP=10.66.0.9' })
    expect(reference).toBe('10.66.0.9/24')
    expect(ours).toContain('10.66.0.2 has been allocated to c1, duplicate allocation is not allowed')
  })

  test('an ADD with the node’s own namespace takes an address', async () => {
    const { reference, ours } = await both.call({
      command: 'ADD',
      container: 'c1',
      netns: '/proc/self/ns/net',
      config: { cniVersion: '1.0.0', ipam: SMALL },
    })
    expect(short(reference)).toBe('10.66.0.2/30')
    expect(short(ours)).toMatch(/^8: plugin's netns and netns from CNI_NETNS should not be the same/)
    const next = await call('ADD', 'c2')
    expect(next.reference).toContain('no IP addresses available')
    expect(next.ours).toBe('10.66.0.2/30')
  })
})

function short({ stdout }: Said): string {
  if (stdout === '') return 'ok'
  const { code, msg, ips } = JSON.parse(stdout)
  if (msg !== undefined) return `${code}: ${msg}`
  return ips.map((ip: { readonly address: string }) => ip.address).join(' ')
}
