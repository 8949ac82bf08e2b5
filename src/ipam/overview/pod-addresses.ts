import { type Address, addressNumber, type Family } from '#values/address.ts'
import { type FreeSpace, freeSpace, type Stretch } from './free-space.ts'

/** Addresses of pods in order, so that those of each of thousands of ranges are found by halving. */
export class PodAddresses {
  readonly #sorted: Readonly<Record<Family, readonly bigint[]>> | undefined

  constructor(podIPs: readonly Address[] | undefined) {
    if (podIPs === undefined) return
    const four = podIPs.filter(ip => !ip.includes(':'))
    const six = podIPs.filter(ip => ip.includes(':'))
    this.#sorted = { ipv4: inOrder(four.map(addressNumber)), ipv6: inOrder(six.map(addressNumber)) }
  }

  /** Undefined where pods are not known. */
  spaceIn(range: Stretch, family: Family): FreeSpace | undefined {
    const sorted = this.#sorted?.[family]
    if (sorted === undefined) return undefined
    const taken: Stretch[] = []
    for (let i = firstFrom(sorted, range.first); i < sorted.length && sorted[i]! <= range.last; i++)
      taken.push({ first: sorted[i]!, last: sorted[i]! })
    return freeSpace(range, taken)
  }
}

function inOrder(values: readonly bigint[]): readonly bigint[] {
  return values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function firstFrom(sorted: readonly bigint[], least: bigint): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < least) low = middle + 1
    else high = middle
  }
  return low
}
