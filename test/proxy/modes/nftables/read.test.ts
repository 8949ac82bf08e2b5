import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { read } from '#proxy/modes/nftables/read.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import { FAMILIES } from '#values/address.ts'
import { everyKind, viewOfEveryKind } from './every-kind.ts'
import { bookOf } from './scene.ts'

const kernel = (outcome: Partial<Outcome>): Kernel => ({
  run: async () => ({ code: 0, stdout: '', stderr: '', ...outcome }),
})
const listing = (...nftables: readonly object[]): Kernel => kernel({ stdout: JSON.stringify({ nftables }) })

test('a table that is not there is nothing, and no error', async () => {
  const stderr = 'Error: No such file or directory\nlist table ip kube-proxy\n              ^^^^^^^^^^\n'
  expect(await read(kernel({ code: 1, stderr }), 'ipv4')).toEqual(new Map())
})

test('any other failure is one, in the words of nft', async () => {
  const stderr = 'Error: Operation not permitted (you must be root)'
  await expect(read(kernel({ code: 1, stderr }), 'ipv4')).rejects.toThrow(
    /nft exited with 1: Error: Operation not permitted/,
  )
  await expect(read(kernel({ code: 127, stderr: 'nft: not found in PATH' }), 'ipv4')).rejects.toThrow(
    /not found in PATH/,
  )
})

// Newer versions print declarations, flags and lists otherwise than Debian 12's 1.0.6, which the kernel tests read live.
test.each(FAMILIES)('what nft 1.1.7 lists of a Service of every kind is what we wrote, in %s', async family => {
  const file = `nft-1.1.7-${family.replace('ip', '')}.json`
  const stdout = readFileSync(new URL(`../../../../fixtures/saves/${file}`, import.meta.url), 'utf8')
  const { rules } = bookOf(everyKind(family), family, { view: viewOfEveryKind(family) })
  expect([...(await read(kernel({ stdout }), family))].sort()).toEqual([...rules].sort())
})

test('a warning beside a listing that succeeded is no failure', async () => {
  const stdout = JSON.stringify({ nftables: [{ chain: { name: 'services' } }] })
  expect(await read(kernel({ stdout, stderr: 'conflicting protocols specified: ip vs. th' }), 'ipv4')).toEqual(
    new Map([
      ['table kube-proxy', ''],
      ['chain services', ''],
    ]),
  )
})

test('clients in affinity sets are none of our elements', async () => {
  const set = {
    name: 'affinity-x',
    type: 'ipv4_addr',
    flags: ['timeout'],
    elem: [{ elem: { val: '10.1.1.1', timeout: 60 } }],
  }
  expect([...(await read(listing({ set }), 'ipv4')).keys()]).toEqual(['table kube-proxy', 'set affinity-x'])
})

describe('a table is foreign, to be replaced whole,', () => {
  const foreign = new Map([['table kube-proxy', 'not ours']])
  const ours = { set: { name: 'cluster-ips', type: 'ipv4_addr', elem: ['10.96.0.1'] } }

  test('where a set has a name that is not ours', async () =>
    expect(await read(listing(ours, { set: { name: 'hairpin-connections', type: 'ipv4_addr' } }), 'ipv4')).toEqual(
      foreign,
    ))

  test('where a map of ours has another shape', async () =>
    expect(await read(listing({ map: { name: 'service-ips', type: 'ipv4_addr', map: 'verdict' } }), 'ipv4')).toEqual(
      foreign,
    ))

  test('where clients are kept for a time that the set says', async () =>
    expect(
      await read(
        listing({ set: { name: 'affinity-x', type: 'ipv4_addr', flags: ['timeout'], timeout: 10800 } }),
        'ipv4',
      ),
    ).toEqual(foreign))

  test('and not where a chain is strange: that is removed by itself', async () =>
    expect([...(await read(listing(ours, { chain: { name: 'odd' } }), 'ipv4')).keys()]).toEqual([
      'table kube-proxy',
      'chain odd',
      'set cluster-ips',
      'element cluster-ips 10.96.0.1',
    ]))
})
