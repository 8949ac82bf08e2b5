import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkLeases } from '#cni/plugins/host-local/check.ts'
import { NO_RESULT } from '#cni/protocol/result.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { parseAddress } from '#values/address.ts'
import { setOf } from '../../../support/leases.ts'
import { requestOf } from '../../requests.ts'
import { type Ask, DUAL, PaperNode, SMALL } from './node.ts'

const at = (text: string) => parseAddress(text)!

describe('a CHECK', () => {
  const prevResult = (...addresses: readonly string[]) => ({
    config: { prevResult: { cniVersion: '1.1.0', ips: addresses.map(address => ({ address })) } },
  })

  async function attached(): Promise<PaperNode> {
    const node = new PaperNode()
    await node.add('c1', { ipam: DUAL })
    return node
  }

  const check = async (node: PaperNode, asked: Ask = {}) => {
    const { code, said } = await node.ask('CHECK', { ipam: DUAL, ...asked })
    return code === 0 ? 'ok' : said
  }

  test('succeeds right after the ADD, with or without its result', async () => {
    const node = await attached()
    expect(await check(node, prevResult('10.9.0.2/29', 'fd00:9::2/64'))).toBe('ok')
    expect(await check(node)).toBe('ok')
  })

  test('leaves addresses alone that another plugin put into the result', async () => {
    expect(await check(await attached(), prevResult('10.9.0.2/29', '192.168.0.7/24', 'fd00:9::2/64'))).toBe('ok')
  })

  test('fails where nothing is leased to the container', async () => {
    const node = await attached()
    await node.del('c1')
    expect(await check(node, prevResult('10.9.0.2/29'))).toMatchObject({
      code: 101,
      msg: 'host-local: Failed to find address added by container c1',
      details: 'no address of network net1 is leased to it and eth0; look with: switchyard ipam ls --network net1',
    })
  })

  test('fails where only one of two addresses is leased', async () => {
    const node = new PaperNode()
    await node.add('c1', { ipam: SMALL })
    const said = await check(node, prevResult('10.9.0.2/29', 'fd00:9::2/64'))
    expect(said).toMatchObject({ code: 101 })
    expect(said.details).toContain('prevResult has fd00:9::2, leased to it is 10.9.0.2')
    expect((await check(node)).details).toContain('it has no address of range 1')
  })

  test('fails where another address is leased than the one returned', async () => {
    const said = await check(await attached(), prevResult('10.9.0.3/29', 'fd00:9::2/64'))
    expect(said.details).toContain('prevResult has 10.9.0.3, leased to it is 10.9.0.2, fd00:9::2')
    const less = await check(await attached(), prevResult('10.9.0.2/29'))
    expect(less.details).toContain('leased to it is fd00:9::2, prevResult has 10.9.0.2')
  })

  test('goes by the result where ranges have changed since the ADD', async () => {
    const ipam = { type: 'host-local', subnet: '10.7.0.0/24' }
    expect(await check(await attached(), { ipam, ...prevResult('10.9.0.2/29', 'fd00:9::2/64') })).toBe('ok')
  })
})

test('a CHECK finds nothing just where each lease was returned, and each address of the ranges that was returned is leased', () => {
  const sets = ['10.9.0.0/29', 'fd00:9::/64'].map(setOf)
  const pool = ['10.9.0.2', '10.9.0.3', 'fd00:9::2', 'fd00:9::3', '192.0.2.7', 'fd00:8::1'].map(at)
  const some = fc.subarray(pool)
  fc.assert(
    fc.property(some, some, (leased, returned) => {
      const held = leased.map(address => ({ address }) as Lease)
      const ips = returned.map(address => ({ address, prefixLength: 29 }))
      const asked = requestOf({ command: 'CHECK', plugin: 'host-local' })
      const request = { ...asked, config: { ...asked.config, prevResult: { ...NO_RESULT, ips } } }
      const ours = returned.filter(address => /^(?:10\.9|fd00:9:)/.test(address))
      const isWhole =
        leased.length > 0 && ours.every(one => leased.includes(one)) && leased.every(one => returned.includes(one))
      const check = () => checkLeases(request, { sets, held })
      if (isWhole) check()
      else expect(check).toThrow('host-local: Failed to find address added by container c1')
    }),
  )
})
