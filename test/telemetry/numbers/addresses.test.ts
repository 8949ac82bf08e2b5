import { expect, test } from 'vitest'
import { type AddressCounts, addressesText } from '#telemetry/numbers/addresses.ts'

function set(family: 'ipv4' | 'ipv6', counts: Partial<AddressCounts>): AddressCounts {
  return { network: 'mynet', set: 0, family, used: 0, cooling: 0, elsewhere: 0, free: 0n, size: 0n, ...counts }
}

function series(text: string): readonly string[] {
  return text.split('\n').filter(line => line.startsWith('switchyard_'))
}

test('each set has its addresses by what has become of them, and its size', () => {
  const sets = [
    set('ipv4', { used: 200, cooling: 3, elsewhere: 1, free: 49n, size: 253n }),
    set('ipv6', { set: 1, used: 200, free: 18_446_744_073_709_551_414n, size: 18_446_744_073_709_551_614n }),
  ]
  expect(series(addressesText(sets))).toEqual([
    'switchyard_ipam_addresses{family="ipv4",network="mynet",set="0",state="cooling"} 3',
    'switchyard_ipam_addresses{family="ipv4",network="mynet",set="0",state="elsewhere"} 1',
    'switchyard_ipam_addresses{family="ipv4",network="mynet",set="0",state="free"} 49',
    'switchyard_ipam_addresses{family="ipv4",network="mynet",set="0",state="used"} 200',
    'switchyard_ipam_addresses{family="ipv6",network="mynet",set="1",state="cooling"} 0',
    'switchyard_ipam_addresses{family="ipv6",network="mynet",set="1",state="elsewhere"} 0',
    'switchyard_ipam_addresses{family="ipv6",network="mynet",set="1",state="free"} 1.8446744073709552e+19',
    'switchyard_ipam_addresses{family="ipv6",network="mynet",set="1",state="used"} 200',
    'switchyard_ipam_range_size{family="ipv4",network="mynet",set="0"} 253',
    'switchyard_ipam_range_size{family="ipv6",network="mynet",set="1"} 1.8446744073709552e+19',
  ])
})

test('a set that is gone has no number any longer', () => {
  expect(series(addressesText([]))).toEqual([])
})
