import { getSystemErrorName } from 'node:util'
import { type Libc, libc } from '#system/netlink/libc.ts'
import { HeldNamespace, NamespaceRefused } from '#system/netlink/namespace.ts'
import { widen } from '#system/netlink/socket.ts'
import type { LinkState, Networks } from '#system/network/network.ts'
import { type PacketLink, type PacketLinks, PacketsRefused } from './packet-link.ts'

// An interface of a network namespace → a raw socket for its IPv4 frames.

const AF_PACKET = 17
const RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000
/** IPv4, as the socket wants it: in network byte order. Frames that go out are not heard. */
const ETH_P_IP = 0x0008
const ADDRESS_BYTES = 20
/** What a busy pod is sent between two looks comes before the answer, which would find no room in the 200 KB that are usual. */
const RECEIVE_BYTES = 4 * 1024 * 1024
/** A frame of the largest Ethernet there is. */
const FRAME_BYTES = 9216

/** Undefined where this process has no FFI. */
export function packetLinks(networks: Networks, c: Libc | undefined = libc()): PacketLinks | undefined {
  if (c === undefined) return undefined
  return {
    async open(name, namespace) {
      const network = await networks.open(namespace)
      try {
        const link = await network.link(name)
        if (link === undefined) throw new PacketsRefused('ENODEV', `there is no interface ${name}`)
        return new PacketSocket(c, socketAt(c, link, namespace), Buffer.from(link.mac.replaceAll(':', ''), 'hex'))
      } finally {
        network.close()
      }
    },
  }
}

function socketAt(c: Libc, { index, name }: LinkState, namespace: string | undefined): number {
  const open = (): number => c.socket(AF_PACKET, RAW_CLOEXEC_NONBLOCK, ETH_P_IP)
  const fd = namespace === undefined ? open() : inside(c, namespace, open)
  if (fd < 0) throw refused(c, `open a raw socket for ${name}`)
  widen(c, fd, RECEIVE_BYTES)
  const address = Buffer.alloc(ADDRESS_BYTES)
  address.writeUInt16LE(AF_PACKET, 0)
  address.writeUInt16LE(ETH_P_IP, 2)
  address.writeInt32LE(index, 4)
  if (c.bind(fd, address) >= 0) return fd
  const error = refused(c, `listen on ${name}`)
  c.close(fd)
  throw error
}

function inside<T>(c: Libc, path: string, turn: () => T): T {
  try {
    const held = HeldNamespace.open(path, c)
    try {
      return held.inside(turn)
    } finally {
      held.close()
    }
  } catch (error) {
    throw error instanceof NamespaceRefused ? new PacketsRefused(error.code, error.message) : error
  }
}

function refused(c: Libc, doing: string): PacketsRefused {
  const code = getSystemErrorName(-c.errno())
  return new PacketsRefused(code, `cannot ${doing}: ${code}`)
}

class PacketSocket implements PacketLink {
  readonly hardware: Buffer
  readonly #libc: Libc
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafeSlow(FRAME_BYTES)
  #isOpen = true

  constructor(c: Libc, fd: number, hardware: Buffer) {
    this.#libc = c
    this.#fd = fd
    this.hardware = hardware
  }

  send(frame: Buffer): void {
    if (this.#libc.send(this.#fd, frame) < 0) throw refused(this.#libc, 'send a frame')
  }

  receive(): Buffer | undefined {
    const length = this.#libc.recv(this.#fd, this.#buffer)
    return length <= 0 ? undefined : Buffer.from(this.#buffer.subarray(0, length))
  }

  close(): void {
    if (this.#isOpen) this.#libc.close(this.#fd)
    this.#isOpen = false
  }
}
