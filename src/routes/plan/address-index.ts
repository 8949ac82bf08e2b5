import { ADDRESS_BITS, type Address, addressNumber, FAMILIES, type Family, familyOf } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, prefixLength } from '#values/cidr.ts'

// Addresses of nodes → the one that lies in a range, quickly: in a large cluster each range is compared with each address.

interface Indexed {
  readonly number: bigint
  readonly address: Address
  readonly node: string
}

export class AddressIndex {
  readonly #sorted: Readonly<Record<Family, readonly Indexed[]>>

  constructor(nodes: readonly { readonly name: string; readonly addresses: readonly Address[] }[]) {
    const all = nodes.flatMap(({ name, addresses }) =>
      addresses.map(address => ({ number: addressNumber(address), address, node: name })),
    )
    const sorted = FAMILIES.map(family => [
      family,
      all
        .filter(({ address }) => familyOf(address) === family)
        .sort((a, b) => (a.number < b.number ? -1 : a.number > b.number ? 1 : 0)),
    ])
    this.#sorted = Object.fromEntries(sorted)
  }

  /** The lowest one; undefined where none is in it. */
  within(range: Cidr): Pick<Indexed, 'address' | 'node'> | undefined {
    const family = cidrFamily(range)
    const first = addressNumber(baseAddress(range))
    const end = first + (1n << BigInt(ADDRESS_BITS[family] - prefixLength(range)))
    const sorted = this.#sorted[family]
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sorted[middle]!.number < first) low = middle + 1
      else high = middle
    }
    const found = sorted[low]
    return found !== undefined && found.number < end ? found : undefined
  }
}
