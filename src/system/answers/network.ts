import { NetworkReader } from '#system/netlink/rtnetlink.ts'
import { ADDRESS_BITS, addressFromNumber, type Family } from '#values/address.ts'

// The links, addresses and routes of a network namespace → the JSON that `ip` prints of them, with the fields that its readers
// use. Undefined where netlink cannot be had, or was interrupted by a change: then `ip` is asked.

const MAIN_TABLE = 254
const UNICAST = 1
const BYTES: Readonly<Record<number, Family>> = { 4: 'ipv4', 16: 'ipv6' }

/** `ip -json address show`: every link, each with its addresses. */
export function addressesAsJson(namespace?: string): string | undefined {
  return asked(namespace, reader => {
    const byLink = Map.groupBy(reader.addresses(), ({ link }) => link)
    return reader.links().map(({ index, name }) => ({
      ifname: name,
      addr_info: (byLink.get(index) ?? []).map(({ bytes, prefixLength, scope }) => ({
        local: textOf(bytes),
        prefixlen: prefixLength,
        scope,
      })),
    }))
  })
}

/** `ip -json -4 route show`: the main table. A type is said where it is not unicast. */
export function routesAsJson(family: Family, namespace?: string): string | undefined {
  return asked(namespace, reader => {
    const names = new Map(reader.links().map(({ index, name }) => [index, name]))
    return reader
      .routes(family)
      .filter(({ table }) => table === MAIN_TABLE)
      .map(({ type, prefixLength, destination, link }) => ({
        ...(type !== UNICAST && { type: `type-${type}` }),
        dst: destination === undefined ? 'default' : withLength(destination, prefixLength),
        ...(link !== undefined && { dev: names.get(link) }),
      }))
  })
}

function asked(namespace: string | undefined, answer: (reader: NetworkReader) => unknown): string | undefined {
  const reader = NetworkReader.open(namespace)
  try {
    return reader && JSON.stringify(answer(reader))
  } catch {
    return undefined
  } finally {
    reader?.close()
  }
}

/** A single address stands without its prefix length. */
function withLength(bytes: Buffer, prefixLength: number): string {
  const isHost = prefixLength === ADDRESS_BITS[BYTES[bytes.length]!]
  return isHost ? textOf(bytes) : `${textOf(bytes)}/${prefixLength}`
}

/** As `ip` says it, also where it is mapped from IPv4. */
function textOf(bytes: Buffer): string {
  const family = BYTES[bytes.length]!
  const text: string = addressFromNumber(family, BigInt(`0x${bytes.toString('hex')}`))
  return family === 'ipv6' && !text.includes(':') ? `::ffff:${text}` : text
}
