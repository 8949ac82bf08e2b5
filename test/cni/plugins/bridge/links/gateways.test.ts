import { describe, expect, test } from 'vitest'
import { addressPlan, gatewayOf } from '#cni/plugins/bridge/links/gateways.ts'
import { type CniResult, type CniRoute, NO_RESULT } from '#cni/protocol/result.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { parseCidr } from '#values/cidr.ts'

const at = (text: string): Address => parseAddress(text)!
const route = (dst: string, more: Partial<CniRoute> = {}): CniRoute => ({ dst: parseCidr(dst)!, ...more })
const given = (more: Partial<CniResult> = {}): CniResult => ({
  ...NO_RESULT,
  ips: [
    { address: at('10.1.2.3'), prefixLength: 16 },
    { address: at('fd00:1::9'), prefixLength: 64, gateway: at('fd00:1::fe') },
  ],
  ...more,
})
const GATEWAY = { isGateway: true, isDefaultGateway: false }
const DEFAULT = { isGateway: true, isDefaultGateway: true }
const NONE = { isGateway: false, isDefaultGateway: false }

describe('the addresses of a pod', () => {
  test('are its interface’s, with the first of the range as gateway where IPAM names none', () => {
    expect(addressPlan(given(), GATEWAY)).toEqual({
      ips: [
        { address: '10.1.2.3', prefixLength: 16, gateway: '10.1.0.1', interface: 2 },
        { address: 'fd00:1::9', prefixLength: 64, gateway: 'fd00:1::fe', interface: 2 },
      ],
      routes: [],
      gateways: [
        { address: '10.1.0.1', prefixLength: 16 },
        { address: 'fd00:1::fe', prefixLength: 64 },
      ],
    })
  })

  test('have the gateways that IPAM names, and the bridge none, where it is no gateway', () => {
    const { ips, gateways } = addressPlan(given(), NONE)
    expect([ips[0], ips[1]!.gateway, gateways]).toEqual([
      { address: '10.1.2.3', prefixLength: 16, interface: 2 },
      'fd00:1::fe',
      [],
    ])
  })

  test('get a default route in each family that has none', () => {
    const defaults = [route('0.0.0.0/0', { gw: at('10.1.0.1') }), route('::/0', { gw: at('fd00:1::fe') })]
    expect(addressPlan(given(), DEFAULT).routes).toEqual(defaults)
    const own = [route('::/0', { gw: at('fd00:1::7') }), route('10.9.0.0/16')]
    expect(addressPlan(given({ routes: own }), DEFAULT).routes).toEqual([...own, defaults[0]])
    expect(addressPlan(given({ routes: [route('0.0.0.0/0'), ...own] }), DEFAULT).routes).toHaveLength(3)
  })

  test('are not none', () => {
    expect(() => addressPlan(NO_RESULT, GATEWAY)).toThrow('IPAM plugin returned missing IP config')
  })
})

test.each<[string, CniRoute, string | undefined]>([
  ['its own', route('10.9.0.0/16', { gw: at('10.1.0.7') }), '10.1.0.7'],
  ['the first of its family', route('10.9.0.0/16'), '10.1.0.1'],
  ['the first of its family', route('::/0'), 'fd00:1::fe'],
  ['none on the link', route('10.9.0.0/16', { scope: 253 }), undefined],
  ['its own, whatever the scope', route('10.9.0.0/16', { scope: 0 }), '10.1.0.1'],
])('a route goes through %s: %o', (_, one, gateway) => {
  expect(gatewayOf(one, addressPlan(given(), GATEWAY).ips)).toBe(gateway)
})
