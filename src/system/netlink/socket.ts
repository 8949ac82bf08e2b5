import { close, read, write } from 'node:fs'
import { type Libc, libc } from './libc.ts'
import { HeldNamespace, NamespaceRefused } from './namespace.ts'

// A netlink protocol → a socket that never blocks.

export interface NetlinkSocketOptions {
  /** NETLINK_ROUTE 0, NETLINK_NETFILTER 12. */
  readonly protocol: number
  /** Multicast groups, one bit each. */
  readonly groups?: number
  /** How much the kernel keeps for us between two reads. */
  readonly receiveBytes?: number
  /** Room for one read, where 256 kB are more than can come: 32 kB are enough for whatever the kernel lists of links. */
  readonly readBytes?: number
  /** Another network namespace, held or by path, e.g. `/run/netns/blue`. */
  readonly namespace?: HeldNamespace | string
  /** How long `arrival` waits. */
  readonly waitMs?: number
  /** What the protocol offers beyond its first version, where the kernel knows it: NETLINK_EXT_ACK 11, … */
  readonly features?: readonly number[]
}

/** What one read gave. The kernel reports an overflow once, and only this way: messages were lost. */
export type Received = { readonly bytes: Buffer } | 'nothing' | 'overflow'

export interface NetlinkSocket {
  /** The outcome is the kernel's error number, 0 where it took the bytes; EBADF once it is closed. */
  send(bytes: Buffer): number
  /**
   * The same on another thread, for a message that keeps the kernel busy until long after the change is to be seen. Resolves
   * when the kernel has done all of it; until then the socket stays open, whatever `close` says.
   */
  sendAside(bytes: Buffer): Promise<void>
  /** The bytes are good until the next call. */
  receive(): Received
  /**
   * Waits on another thread until something comes, which is then gone, or until `waitMs` have passed; a process that exits
   * meanwhile waits as long. `broken` where the socket is of no use for this.
   */
  arrival(): Promise<'something' | 'nothing' | 'broken'>
  /**
   * The network namespace it is in: a number that no other gets until the machine starts again. (An inode number is given to
   * the next.) Undefined before Linux 5.14.
   */
  namespaceCookie(): string | undefined
  close(): void
  /** The same on another thread: after a deletion, the kernel keeps the one that closes until its memory is freed. */
  closeAside(): void
}

const AF_NETLINK = 16
const RAW_CLOEXEC = 3 | 0o2000000
const NONBLOCK = 0o4000
const SOL_NETLINK = 270
const ON = Buffer.from([1, 0, 0, 0])
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const SO_RCVTIMEO = 20
const SO_NETNS_COOKIE = 71
const EINTR = 4
const EBADF = 9
const EAGAIN = 11
const ENOBUFS = 105
/** The kernel fills datagrams of a dump up to 32 kB, and a read that is too small loses the rest. */
const READ_BYTES = 256 * 1024

/** Undefined where this process has no FFI, or the kernel refuses the socket or the namespace. */
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
  for (const feature of options.features ?? []) c.setsockopt(fd, SOL_NETLINK, feature, ON)
  if (options.receiveBytes !== undefined) widen(c, fd, options.receiveBytes)
  if (options.waitMs !== undefined) limitWaiting(c, fd, options.waitMs)
  return new OpenSocket(c, fd, options.readBytes)
}

function socketIn(c: Libc, { protocol, namespace, waitMs }: NetlinkSocketOptions): number {
  const type = waitMs === undefined ? RAW_CLOEXEC | NONBLOCK : RAW_CLOEXEC
  const socket = (): number => c.socket(AF_NETLINK, type, protocol)
  if (namespace === undefined) return socket()
  if (namespace instanceof HeldNamespace) return namespace.inside(socket)
  let held: HeldNamespace | undefined
  try {
    held = HeldNamespace.open(namespace, c)
    return held.inside(socket)
  } catch (error) {
    if (error instanceof NamespaceRefused) return -1
    throw error
  } finally {
    held?.close()
  }
}

/** Beyond the limit of the machine with CAP_NET_ADMIN, up to it without. */
export function widen(c: Libc, fd: number, bytes: number): void {
  const value = Buffer.alloc(4)
  value.writeInt32LE(bytes)
  if (c.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, value) < 0) c.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value)
}

function limitWaiting(c: Libc, fd: number, ms: number): void {
  const time = Buffer.alloc(16)
  time.writeBigInt64LE(BigInt(Math.trunc(ms / 1000)), 0)
  time.writeBigInt64LE(BigInt(ms % 1000) * 1000n, 8)
  c.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, time)
}

class OpenSocket implements NetlinkSocket {
  readonly #libc: Libc
  readonly #fd: number
  readonly #buffer: Buffer
  #open = true
  #aside = 0
  #closesAside = false

  constructor(c: Libc, fd: number, readBytes = READ_BYTES) {
    this.#libc = c
    this.#fd = fd
    this.#buffer = Buffer.allocUnsafeSlow(readBytes)
  }

  namespaceCookie(): string | undefined {
    if (!this.#open) return undefined
    const [value, length] = [Buffer.alloc(8), Buffer.from([8, 0, 0, 0])]
    const code = this.#libc.getsockopt(this.#fd, SOL_SOCKET, SO_NETNS_COOKIE, value, length)
    return code < 0 ? undefined : value.toString('hex')
  }

  send(bytes: Buffer): number {
    if (!this.#open) return EBADF
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

  arrival(): Promise<'something' | 'nothing' | 'broken'> {
    if (!this.#open) return Promise.resolve('broken')
    this.#aside++
    return new Promise(resolve => {
      read(this.#fd, this.#buffer, 0, this.#buffer.length, null, error => {
        this.#aside--
        if (!this.#open) this.#closeIfIdle()
        if (error === null || error.code === 'ENOBUFS') resolve('something')
        else resolve(error.code === 'EAGAIN' || error.code === 'EINTR' ? 'nothing' : 'broken')
      })
    })
  }

  sendAside(bytes: Buffer): Promise<void> {
    if (!this.#open) return Promise.reject(Object.assign(new Error('the socket is closed'), { code: 'EBADF' }))
    this.#aside++
    return new Promise((resolve, reject) => {
      write(this.#fd, bytes, error => {
        this.#aside--
        if (!this.#open) this.#closeIfIdle()
        if (error === null) resolve()
        else reject(error)
      })
    })
  }

  /** The number may belong to another file a moment later, so it is closed once. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#closeIfIdle()
  }

  closeAside(): void {
    if (!this.#open) return
    this.#open = false
    this.#closesAside = true
    this.#closeIfIdle()
  }

  #closeIfIdle(): void {
    if (this.#aside > 0) return
    if (this.#closesAside) close(this.#fd)
    else this.#libc.close(this.#fd)
  }
}
