import fc from 'fast-check'
import type { Flow } from '#system/ports.ts'
import { type Address, FAMILIES, type Family } from '#values/address.ts'
import { PROTOCOLS } from '#values/protocol.ts'
import { ip } from './objects.ts'

// Connections as a kernel may track them, with few addresses and ports, so that many of them have some in common.

export interface Tracked extends Flow {
  readonly family: Family
  readonly from: Address
  readonly fromPort: number
  /** Of TCP. */
  readonly state: 'SYN_SENT' | 'SYN_RECV' | 'ESTABLISHED' | 'CLOSE'
}

export const TRACKED_PORTS: readonly number[] = [53, 80, 5353, 8080, 30_053, 65_535]
const ADDRESSES: Readonly<Record<Family, readonly Address[]>> = {
  ipv4: ['10.96.0.10', '10.244.1.2', '10.244.1.3', '192.168.255.254'].map(ip),
  ipv6: ['fd00:96::a', 'fd00:244::2', 'fd00:244::3', '2001:db8:1:2:3:4:5:ffff'].map(ip),
}

export function tracked(): fc.Arbitrary<Tracked> {
  return fc.constantFrom(...FAMILIES).chain(family => {
    const address = fc.constantFrom(...ADDRESSES[family])
    const port = fc.constantFrom(...TRACKED_PORTS)
    return fc.record({
      family: fc.constant(family),
      protocol: fc.constantFrom(...PROTOCOLS),
      from: address,
      fromPort: port,
      to: address,
      toPort: port,
      answeredBy: address,
      answeredByPort: port,
      state: fc.constantFrom('SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'CLOSE'),
    })
  })
}

/** What may be asked of them. */
export function staleTracked() {
  return fc.record({
    family: fc.constantFrom(...FAMILIES),
    protocol: fc.constantFrom(...PROTOCOLS),
    by: fc.constantFrom('toPort', 'answeredByPort'),
    ports: fc.uniqueArray(fc.constantFrom(...TRACKED_PORTS), { minLength: 1 }).map(ports => new Set(ports)),
    isStale: fc.uniqueArray(fc.constantFrom('2', '3', '4', 'a', 'f'), { minLength: 1 }).map(
      ends =>
        ({ answeredBy }: Flow): boolean =>
          ends.some(end => answeredBy.endsWith(end)),
    ),
  })
}
