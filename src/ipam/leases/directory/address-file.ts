import { type Address, parseAddress } from '#values/address.ts'
import type { Lease } from '../lease-book.ts'

// What host-local's directory holds ⇄ what it means: a file for each address, named so, with the container and interface in it;
// `last_reserved_ip.N` with the address that set N gave last; and `lock`.

export interface AddressFile {
  readonly address: Address
  readonly container: string
  /** Empty in files of versions before 0.8.3, which wrote the container alone. */
  readonly ifname: string
}

export interface DirectoryContent {
  readonly files: readonly AddressFile[]
  /** By set. */
  readonly given: ReadonlyMap<number, Address>
  /** A line for each file that means nothing. */
  readonly problems: readonly string[]
}

export const LOCK = 'lock'
/** Of a set that a configuration may have: none has thousands. */
const GIVEN = /^last_reserved_ip\.(\d{1,3})$/

export function contentOf(texts: ReadonlyMap<string, string>): DirectoryContent {
  const files: AddressFile[] = []
  const given = new Map<number, Address>()
  const problems: string[] = []
  for (const [name, text] of [...texts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const set = GIVEN.exec(name)?.[1]
    // On Windows a colon may not be in a name.
    const address = parseAddress(set === undefined ? name.replaceAll('_', ':') : text.trim())
    const [container = '', ifname = ''] = text.trim().split(/\r?\n/)
    if (name === LOCK) continue
    if (set !== undefined && address === undefined) continue
    if (set !== undefined) given.set(Number(set), address!)
    else if (address === undefined) problems.push(`${name}: the name is no address`)
    else if (container.trim() === '') problems.push(`${name}: no container is in it, so no DEL would ever free it`)
    else files.push({ address, container: container.trim(), ifname: ifname.trim() })
  }
  return { files, given, problems }
}

/** Names and texts as host-local writes them. */
export function textsOf(
  leases: readonly Lease[],
  given: readonly (Address | undefined)[],
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const { state, address, container, ifname } of leases) {
    if (state === 'assigned') texts.set(address, ifname === '' ? container : `${container}\r\n${ifname}`)
  }
  given.forEach((address, set) => {
    if (address !== undefined) texts.set(`last_reserved_ip.${set}`, address)
  })
  return texts
}
