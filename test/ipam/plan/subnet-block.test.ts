import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { subnetBlock, type WrittenSubnet } from '#ipam/plan/subnet-block.ts'
import { parseCidr } from '#values/cidr.ts'
import { address } from '../../support/leases.ts'

/** What Debian's ipcalc 0.42 printed, one block after another. */
const GOLDEN = readFileSync(new URL('../../../fixtures/ipcalc/blocks.txt', import.meta.url), 'utf8')
const BLOCKS = GOLDEN.split('\n\n').filter(block => block.trim() !== '')

function written(text: string): WrittenSubnet {
  return { address: address(text.split('/')[0]!), subnet: parseCidr(text)! }
}

describe('the block of a subnet', () => {
  test.each(BLOCKS.map(block => [`${/[\d.]+/.exec(block)![0]}/${/= (\d+)/.exec(block)![1]}`, block]))(
    'of %s is the one of ipcalc -b, byte for byte',
    (text, block) => {
      expect(subnetBlock(written(text))).toBe(block)
    },
  )

  test('is in the same lines for IPv6, which has no broadcast address and no classes', () => {
    expect(subnetBlock(written('fd00:9::5/64')).replaceAll(/ +$/gm, '')).toBe(
      [
        'Address:   fd00:9::5',
        'Netmask:   ffff:ffff:ffff:ffff:: = 64',
        'Wildcard:  ::ffff:ffff:ffff:ffff',
        '=>',
        'Network:   fd00:9::/64',
        'HostMin:   fd00:9::1',
        'HostMax:   fd00:9::ffff:ffff:ffff:ffff',
        'Hosts/Net: 18446744073709551615  Unique Local',
      ].join('\n'),
    )
    expect(subnetBlock(written('fd00::/48'))).toMatch(/\nHosts\/Net: 1208925819614629174706175 Unique Local$/)
    expect(subnetBlock(written('2001:db8::/31'))).toMatch(/In Part Documentation$/)
  })
})
