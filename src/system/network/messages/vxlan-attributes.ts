import { addressBytes, addressOf } from '#system/netlink/address-bytes.ts'
import { attribute, byteAttribute, numberAttribute } from '#system/netlink/message.ts'
import { familyOf } from '#values/address.ts'
import type { VxlanState } from '../neighbours.ts'

// What makes a link a VXLAN ⇄ attributes. Numbers are those of linux/if_link.h.

const ID = 1
const LOCAL = { ipv4: 4, ipv6: 17 } as const
const LEARNING = 7
const PORT = 15

export function vxlanAttributes({ vni, port, local }: VxlanState): readonly Buffer[] {
  const portBytes = Buffer.alloc(2)
  portBytes.writeUInt16BE(port)
  return [
    numberAttribute(ID, vni),
    ...(local === undefined ? [] : [attribute(LOCAL[familyOf(local)], addressBytes(local))]),
    byteAttribute(LEARNING, 0),
    attribute(PORT, portBytes),
  ]
}

export function vxlanOf(found: ReadonlyMap<number, Buffer>): VxlanState {
  const local = found.get(LOCAL.ipv4) ?? found.get(LOCAL.ipv6)
  return {
    vni: found.get(ID)?.readUInt32LE() ?? 0,
    port: found.get(PORT)?.readUInt16BE() ?? 0,
    ...(local?.some(byte => byte !== 0) && { local: addressOf(local) }),
  }
}
