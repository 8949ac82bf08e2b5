import { closeSync, openSync } from 'node:fs'
import { type Libc, libc } from './libc.ts'

// A netlink protocol → a socket that never blocks.

export interface NetlinkSocketOptions {
  /** NETLINK_ROUTE 0, NETLINK_NETFILTER 12. */
  readonly protocol: number
  /** Multicast groups, one bit each. */
  readonly groups?: number
  /** How much the kernel keeps for us between two reads. */
  readonly receiveBytes?: number
  /** Another network namespace, by path, e.g. `/run/netns/blue`. */
  readonly namespace?: string
}

/** What one read gave. The kernel reports an overflow once, and only this way: messages were lost. */
export type Received = { readonly bytes: Buffer } | 'nothing' | 'overflow'

export interface NetlinkSocket {
  /** The outcome is the kernel's error number, 0 where it took the bytes. */
  send(bytes: Buffer): number
  /** The bytes are good until the next call. */
  receive(): Received
  /**
   * The network namespace it is in: a number that no other gets until the machine starts again. (An inode number is given to
   * the next.) Undefined before Linux 5.14.
   */
  namespaceCookie(): string | undefined
  close(): void
}

const AF_NETLINK = 16
const RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const SO_NETNS_COOKIE = 71
const EINTR = 4
const EAGAIN = 11
const ENOBUFS = 105
/** The kernel fills datagrams of a dump up to 32 kB, and a read that is too small loses the rest. */
const READ_BYTES = 256 * 1024

/** Undefined where this process has no FFI, or the kernel refuses the socket. */
export function openNetlink(options: NetlinkSocketOptions): NetlinkSocket | undefined {
  const c = libc()
  if (c === undefined) return undefined
  const fd = socketIn(c, options)
  if (fd < 0) return undefined
  const address = Buffer.alloc(12)
  address.writeUInt16LE(AF_NETLINK, 0)
  address.writeUInt32LE(options.groups ?? 0, 8)
  if (c.bind(fd, address) < 0) {
    c.close(fd)
    return undefined
  }
  if (options.receiveBytes !== undefined) widen(c, fd, options.receiveBytes)
  return new OpenSocket(c, fd)
}

/** The thread is in the other namespace for this one turn, and nothing else runs on it meanwhile. */
function socketIn(c: Libc, { protocol, namespace }: NetlinkSocketOptions): number {
  if (namespace === undefined) return c.socket(AF_NETLINK, RAW_CLOEXEC_NONBLOCK, protocol)
  const home = openSync('/proc/thread-self/ns/net', 'r')
  try {
    const other = openSync(namespace, 'r')
    try {
      if (c.setns(other) < 0) return -1
      const fd = c.socket(AF_NETLINK, RAW_CLOEXEC_NONBLOCK, protocol)
      if (c.setns(home) < 0) throw new Error(`cannot return from the network namespace ${namespace}`)
      return fd
    } finally {
      closeSync(other)
    }
  } finally {
    closeSync(home)
  }
}

/** Beyond the limit of the machine with CAP_NET_ADMIN, up to it without. */
function widen(c: Libc, fd: number, bytes: number): void {
  const value = Buffer.alloc(4)
  value.writeInt32LE(bytes)
  if (c.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, value) < 0) c.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value)
}

class OpenSocket implements NetlinkSocket {
  readonly #libc: Libc
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  #open = true

  constructor(c: Libc, fd: number) {
    this.#libc = c
    this.#fd = fd
  }

  namespaceCookie(): string | undefined {
    const [value, length] = [Buffer.alloc(8), Buffer.from([8, 0, 0, 0])]
    const code = this.#libc.getsockopt(this.#fd, SOL_SOCKET, SO_NETNS_COOKIE, value, length)
    return code < 0 ? undefined : value.toString('hex')
  }

  send(bytes: Buffer): number {
    return this.#libc.send(this.#fd, bytes) < 0 ? this.#libc.errno() : 0
  }

  receive(): Received {
    while (this.#open) {
      const count = this.#libc.recv(this.#fd, this.#buffer)
      if (count >= 0) return { bytes: this.#buffer.subarray(0, count) }
      const error = this.#libc.errno()
      if (error === ENOBUFS) return 'overflow'
      if (error === EAGAIN) return 'nothing'
      if (error !== EINTR) throw new Error(`recv on a netlink socket failed with errno ${error}`)
    }
    return 'nothing'
  }

  /** The number may belong to another file a moment later, so it is closed once. */
  close(): void {
    if (this.#open) this.#libc.close(this.#fd)
    this.#open = false
  }
}
