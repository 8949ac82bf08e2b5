import { expect, test } from 'vitest'
import { ConfigFields } from '#cni/protocol/config-fields.ts'
import { ConfigRefused } from '#cni/protocol/error.ts'

test('the fields of a configuration are what they should be', () => {
  const fields = new ConfigFields({
    bridge: 'cni0',
    isGateway: true,
    mtu: 1450,
    ipMasqBackend: 'nftables',
    ipam: { subnet: '10.22.0.0/16', gateway: '10.22.0.1' },
    vlanTrunk: [{ id: 5 }, { minID: 7 }],
    absent: null,
    backend: '',
    gw: '',
  })
  expect(fields.text('bridge')).toBe('cni0')
  expect(fields.isOn('isGateway')).toBe(true)
  expect(fields.isOn('ipMasq')).toBe(false)
  expect(fields.number('mtu', { least: 0, most: 65_535 })).toBe(1450)
  expect(fields.choice('ipMasqBackend', ['iptables', 'nftables'])).toBe('nftables')
  expect(fields.object('ipam')?.cidr('subnet')).toBe('10.22.0.0/16')
  expect(fields.object('ipam')?.address('gateway')).toBe('10.22.0.1')
  expect(fields.objects('vlanTrunk').map(trunk => trunk.number('id', { least: 1, most: 4094 }))).toEqual([5, undefined])
  expect(fields.choice('backend', ['iptables'])).toBeUndefined()
  expect(fields.address('gw')).toBeUndefined()
  expect(fields.has('absent')).toBe(false)
  expect(() => fields.refuse()).not.toThrow()
})

test('all that is wrong comes as one error, each with field, value and what would be right', () => {
  const fields = new ConfigFields({
    bridge: 5,
    isGateway: 'true',
    vlan: 4095,
    ipMasqBackend: 'ipfw',
    ipam: { subnet: '10.22.0.0', routes: [7, { dst: 'x' }] },
  })
  fields.text('bridge')
  fields.isOn('isGateway')
  fields.number('vlan', { least: 0, most: 4094 })
  fields.choice('ipMasqBackend', ['iptables', 'nftables'])
  fields.object('ipam')?.cidr('subnet')
  for (const route of fields.object('ipam')?.objects('routes') ?? []) route.cidr('dst')
  const lines = [
    'bridge: 5 is not a text in quotes',
    'isGateway: "true" is not true or false, without quotes',
    'vlan: 4095 is not a whole number from 0 to 4094',
    'ipMasqBackend: "ipfw" is not "iptables" or "nftables"',
    'ipam.subnet: "10.22.0.0" is not an address range such as 10.22.0.0/16',
    'ipam.routes[0]: 7 is not an object in braces',
    'ipam.routes[1].dst: "x" is not an address range such as 10.22.0.0/16',
  ]
  expect(fields.problems).toEqual(lines)
  expect(() => fields.refuse()).toThrow(new ConfigRefused(lines))
})

test('a message does not grow with the number of problems', () => {
  const fields = new ConfigFields({ routes: Array.from({ length: 1000 }, () => 5) })
  fields.objects('routes')
  expect(() => fields.refuse()).toThrow(
    /^routes\[0\]: 5 is not .*; routes\[11\]: 5 is not an object in braces; and 988 more$/,
  )
  expect(fields.problems).toHaveLength(1000)
})

test('a value is shown on one short line, whatever it holds', () => {
  const fields = new ConfigFields({ bridge: [`a\n${'b'.repeat(500)}`] })
  fields.text('bridge')
  expect(fields.problems[0]).toMatch(/^bridge: \["a\\nb+\.\.\. is not a text in quotes$/)
  expect(fields.problems[0]!.length).toBeLessThan(170)
})
