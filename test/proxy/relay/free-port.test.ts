import { describe, expect, test } from 'vitest'
import { freePort } from '#proxy/relay/free-port.ts'
import { freePort as free, freePorts, HAS_IPV6, occupyPort } from '../../support/local-ports.ts'

const HOST = { protocol: 'tcp', host: '127.0.0.1' } as const
const NONE_TAKEN = { isTaken: () => false, first: undefined }

/** Three free ports in a row. */
async function threePorts() {
  const first = await freePorts(3)
  return { first, last: first + 2 }
}

describe('a port', () => {
  test.each(['tcp', 'udp'] as const)('of %s is any that the kernel has, where no range is given', async protocol => {
    expect(await freePort({ ...HOST, protocol, range: 'any', ...NONE_TAKEN })).toBeGreaterThan(0)
  })

  test.skipIf(!HAS_IPV6)('of IPv6 is found as well', async () => {
    expect(await freePort({ ...HOST, host: '::1', range: 'any', ...NONE_TAKEN })).toBeGreaterThan(0)
  })

  test('is the preferred one where that is free, also outside of the range', async () => {
    const [first, range] = [await free(), { first: 1, last: 1 }]
    expect(await freePort({ ...HOST, range, isTaken: () => false, first })).toBe(first)
  })

  test('is another one, where a program has the preferred one or we have given it away', async () => {
    const occupied = await occupyPort({ port: 0, host: HOST.host })
    const found = await freePort({ ...HOST, range: 'any', isTaken: () => false, first: occupied.port })
    expect(found).not.toBe(occupied.port)
    await occupied.release()
    const other = await freePort({
      ...HOST,
      range: 'any',
      isTaken: port => port === occupied.port,
      first: occupied.port,
    })
    expect(other).not.toBe(occupied.port)
  })

  test('of a range is none that is taken', async () => {
    const range = await threePorts()
    const isTaken = (port: number) => port !== range.last
    expect(await freePort({ ...HOST, range, isTaken, first: undefined })).toBe(range.last)
  })

  test('is none where all are taken, or where the address is not of this machine', async () => {
    const range = await threePorts()
    expect(await freePort({ ...HOST, range, isTaken: () => true, first: range.first })).toBeUndefined()
    expect(await freePort({ ...HOST, host: '192.0.2.1', range: 'any', ...NONE_TAKEN })).toBeUndefined()
  })
})
