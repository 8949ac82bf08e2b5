import type { AddressWithPrefix, InterfaceAddress } from '#system/network/network.ts'
import type { Command } from '#system/ports.ts'
import { ADDRESS_BITS, familyOf, parseAddress } from '#values/address.ts'
import { jsonOf } from './words.ts'

// Addresses of links → the words of `ip address`, and what it prints → addresses.

export const LIST_ADDRESSES_OF_LINKS: Command = { does: 'other', argv: ['ip', '-json', 'address', 'show'] }

/** None that is mapped from IPv4: it is no address of IPv4, and its prefix counts other bits. */
export function interfaceAddressesOf(stdout: string): readonly InterfaceAddress[] {
  const links = jsonOf(stdout) as readonly Printed[]
  return links.flatMap(({ ifindex, addr_info = [] }) =>
    addr_info.flatMap(({ local, prefixlen, scope, tentative = false, dadfailed = false }) => {
      const address = parseAddress(local)
      if (address === undefined || local?.includes(':') !== (familyOf(address) === 'ipv6')) return []
      return [
        { link: ifindex, address, prefixLength: prefixlen, scope, isTentative: tentative, hasDadFailed: dadfailed },
      ]
    }),
  )
}

export function addAddress(link: string, given: AddressWithPrefix & { readonly withoutDad?: true }): Command {
  const { address, prefixLength, withoutDad } = given
  const isIpv4 = familyOf(address) === 'ipv4'
  const hasBroadcast = isIpv4 && ADDRESS_BITS.ipv4 - prefixLength > 1
  const words = [...(hasBroadcast ? ['broadcast', '+'] : []), ...(!isIpv4 && withoutDad ? ['nodad'] : [])]
  return { does: 'write', argv: ['ip', 'address', 'add', `${address}/${prefixLength}`, ...words, 'dev', link] }
}

export function deleteAddress(link: string, { address, prefixLength }: AddressWithPrefix): Command {
  return { does: 'write', argv: ['ip', 'address', 'delete', `${address}/${prefixLength}`, 'dev', link] }
}

/** Of the fields that are printed, those that are of interest; an interface without addresses may be an empty object. */
interface Printed {
  readonly ifindex: number
  readonly addr_info?: readonly {
    readonly local?: string
    readonly prefixlen: number
    readonly scope: string
    readonly tentative?: boolean
    readonly dadfailed?: boolean
  }[]
}
