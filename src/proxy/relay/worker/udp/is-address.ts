import { isIPv6 } from 'node:net'

/** The look-up of a host name that is an address already: Node's own would answer a moment later, for every datagram. */
export function isAddress(
  address: string,
  _options: unknown,
  found: (error: null, address: string, family: number) => void,
): void {
  found(null, address, isIPv6(address) ? 6 : 4)
}
