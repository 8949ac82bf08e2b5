import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigFields } from '#cni/protocol/config-fields.ts'
import { CniError } from '#cni/protocol/error.ts'
import { printedResult } from '#cni/protocol/print.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { decodeResult } from '#cni/protocol/shapes/decode-result.ts'
import { atLeast, CNI_VERSIONS, type CniVersion } from '#cni/protocol/versions.ts'
import { type Address, FAMILIES, familyOf } from '#values/address.ts'
import { type Cidr, cidrFamily } from '#values/cidr.ts'
import { anyResult } from '../results.ts'

const ip = (text: string) => text as Address
const BOTH: CniResult = {
  interfaces: [
    { name: 'cni0', mac: '0a:58:0a:09:00:01' },
    { name: 'eth0', mac: '0a:58:0a:09:00:03', mtu: 1400, sandbox: '/run/netns/c1' },
  ],
  ips: [
    { address: ip('10.9.0.3'), prefixLength: 29, gateway: ip('10.9.0.1'), interface: 1 },
    { address: ip('fd00::3'), prefixLength: 120, interface: 1 },
  ],
  routes: [
    { dst: '0.0.0.0/0' as Cidr },
    { dst: 'fd00:1::/64' as Cidr, gw: ip('fd00::9'), mtu: 1300, table: 0, scope: 253 },
  ],
  dns: {},
}

const GOLDEN: Readonly<Record<CniVersion, string>> = {
  '0.1.0': old('0.1.0'),
  '0.2.0': old('0.2.0'),
  '0.3.0': middle('0.3.0'),
  '0.3.1': middle('0.3.1'),
  '0.4.0': middle('0.4.0'),
  '1.0.0': `{"cniVersion":"1.0.0","interfaces":[{"name":"cni0","mac":"0a:58:0a:09:00:01"},{"name":"eth0","mac":"0a:58:0a:09:00:03","sandbox":"/run/netns/c1"}],"ips":[{"interface":1,"address":"10.9.0.3/29","gateway":"10.9.0.1"},{"interface":1,"address":"fd00::3/120"}],"routes":[{"dst":"0.0.0.0/0"},{"dst":"fd00:1::/64","gw":"fd00::9"}],"dns":{}}`,
  '1.1.0': `{"cniVersion":"1.1.0","interfaces":[{"name":"cni0","mac":"0a:58:0a:09:00:01"},{"name":"eth0","mac":"0a:58:0a:09:00:03","mtu":1400,"sandbox":"/run/netns/c1"}],"ips":[{"interface":1,"address":"10.9.0.3/29","gateway":"10.9.0.1"},{"interface":1,"address":"fd00::3/120"}],"routes":[{"dst":"0.0.0.0/0"},{"dst":"fd00:1::/64","gw":"fd00::9","mtu":1300,"table":0,"scope":253}]}`,
}

function old(version: string): string {
  return `{"cniVersion":"${version}","ip4":{"ip":"10.9.0.3/29","gateway":"10.9.0.1","routes":[{"dst":"0.0.0.0/0"}]},"ip6":{"ip":"fd00::3/120","routes":[{"dst":"fd00:1::/64","gw":"fd00::9"}]},"dns":{}}`
}

function middle(version: string): string {
  return `{"cniVersion":"${version}","interfaces":[{"name":"cni0","mac":"0a:58:0a:09:00:01"},{"name":"eth0","mac":"0a:58:0a:09:00:03","sandbox":"/run/netns/c1"}],"ips":[{"version":"4","interface":1,"address":"10.9.0.3/29","gateway":"10.9.0.1"},{"version":"6","interface":1,"address":"fd00::3/120"}],"routes":[{"dst":"0.0.0.0/0"},{"dst":"fd00:1::/64","gw":"fd00::9"}],"dns":{}}`
}

function hasOneOfEach({ ips }: CniResult): boolean {
  const families = ips.map(({ address }) => familyOf(address))
  return ips.length > 0 && new Set(families).size === families.length
}

/** What is left of it in a version. */
function sayable({ interfaces, ips, routes, dns }: CniResult, version: CniVersion): CniResult {
  if (atLeast(version, '1.1.0')) return { interfaces, ips, routes, dns }
  const older = routes.map(({ dst, gw }) => ({ dst, ...(gw && { gw }) }))
  if (atLeast(version, '0.3.0')) {
    const known = interfaces.map(({ name, mac, sandbox }) => ({
      name,
      ...(mac && { mac }),
      ...(sandbox && { sandbox }),
    }))
    return { interfaces: known, ips, routes: older, dns }
  }
  const families = FAMILIES.filter(family => ips.some(({ address }) => familyOf(address) === family))
  return {
    interfaces: [],
    ips: families.map(family => {
      const { interface: _, ...ip } = ips.find(({ address }) => familyOf(address) === family)!
      return ip
    }),
    routes: families.flatMap(family => older.filter(({ dst }) => cidrFamily(dst) === family)),
    dns,
  }
}

describe('a result', () => {
  test.each(CNI_VERSIONS)('has the shape of version %s, in the order of its keys', version => {
    expect(JSON.stringify(JSON.parse(printedResult(BOTH, version)))).toBe(GOLDEN[version])
  })

  test('is indented by four spaces and ends without a newline, as the reference’s', () => {
    const text = printedResult({ ...BOTH, interfaces: [], ips: [], routes: [] }, '1.0.0')
    expect(text).toBe('{\n    "cniVersion": "1.0.0",\n    "dns": {}\n}')
  })

  test.each(CNI_VERSIONS)('of version %s is the same after it was printed and read', version => {
    fc.assert(
      fc.property(anyResult(version), result => {
        const fields = new ConfigFields(JSON.parse(printedResult(result, version)) as Record<string, unknown>)
        expect(decodeResult(fields)).toEqual(result)
        expect(fields.problems).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  test.each(CNI_VERSIONS)('of the newest version loses in %s what that has no field for, and nothing else', version => {
    fc.assert(
      fc.property(anyResult('1.1.0'), result => {
        const isSayable = atLeast(version, '0.3.0') || hasOneOfEach(result)
        if (!isSayable) {
          expect(() => printedResult(result, version)).toThrow(CniError)
          return
        }
        const fields = new ConfigFields(JSON.parse(printedResult(result, version)) as Record<string, unknown>)
        expect(decodeResult(fields)).toEqual(sayable(result, version))
      }),
      { numRuns: 100 },
    )
  })

  test('with two addresses of one family is refused by versions that have room for one', () => {
    const two = { ...BOTH, ips: [BOTH.ips[0]!, { ...BOTH.ips[0]!, address: ip('10.9.0.4') }] }
    expect(() => printedResult(two, '0.2.0')).toThrow(
      'CNI version 0.2.0 does not support more than 1 address per family',
    )
    expect(printedResult(two, '0.3.0')).toContain('10.9.0.4/29')
  })

  test('without an address is refused by versions that must have one', () => {
    expect(() => printedResult({ ...BOTH, ips: [] }, '0.1.0')).toThrow('cannot convert: no valid IP addresses')
  })
})
