import { type Address, familyOf } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'
import { addressBytes } from './netlink/address-bytes.ts'
import { type Libc, libc } from './netlink/libc.ts'
import { HeldNamespace } from './netlink/namespace.ts'
import type { Clock } from './ports.ts'

// A destination → one real packet to it, from any network namespace of this machine, and what became of it. Of TCP a connection
// that is closed as soon as it stands, of UDP an empty datagram.

export interface RealPacket {
  readonly protocol: Exclude<Protocol, 'sctp'>
  readonly to: Address
  readonly port: number
  /** One of the namespace's own; absent: as it chooses. */
  readonly from?: Address
  /** The path of a network namespace; absent: that of this process. */
  readonly namespace?: string
  readonly withinMs: number
}

export interface ProbeResult {
  /** `silence`: within the time. UDP that no program answers looks the same as UDP that is dropped. */
  readonly outcome: 'answered' | 'refused' | 'silence' | 'unreachable'
  readonly sourcePort: number
}

/** The socket stays open until `look` has resolved: the kernel still knows the connection then. Undefined without FFI. */
export async function sendProbe<T>(
  probe: RealPacket,
  clock: Clock,
  look: (result: ProbeResult) => Promise<T>,
): Promise<T | undefined> {
  const c = libc()
  if (c === undefined) return undefined
  const fd = openSocket(c, probe)
  try {
    bindTo(c, fd, probe)
    const outcome = await (probe.protocol === 'tcp' ? connected(c, fd, probe, clock) : answered(c, fd, probe, clock))
    return await look({ outcome, sourcePort: portOf(c, fd) })
  } finally {
    c.close(fd)
  }
}

const NUMBERS = { ipv4: 2, ipv6: 10 } as const
const TYPES = { tcp: 1, udp: 2 } as const
const NONBLOCK_CLOEXEC = 0o4000 | 0o2000000
const ERRORS = { EINPROGRESS: 115, EALREADY: 114, EISCONN: 106, ECONNREFUSED: 111, EAGAIN: 11, EINTR: 4 } as const
/** The kernel's words for a packet that goes nowhere: no route, or an answer that says so. */
const UNREACHABLE: readonly number[] = [101, 113]
/** Forbidden by a rule: it was dropped as it was sent. */
const DROPPED: readonly number[] = [1, 13]
const LOOK_EVERY_MS = 10

function openSocket(c: Libc, { protocol, to, namespace }: RealPacket): number {
  const open = (): number => c.socket(NUMBERS[familyOf(to)], TYPES[protocol] | NONBLOCK_CLOEXEC, 0)
  if (namespace === undefined) return opened(open())
  const held = HeldNamespace.open(namespace, c)
  try {
    return opened(held.inside(open))
  } finally {
    held.close()
  }
}

function opened(fd: number): number {
  if (fd < 0) throw new Error('the kernel gives no socket for a probe')
  return fd
}

function bindTo(c: Libc, fd: number, { from }: RealPacket): void {
  if (from === undefined || c.bind(fd, socketAddress(from, 0)) === 0) return
  throw new Error(`${from} is no address that a packet can be sent from there`)
}

async function connected(c: Libc, fd: number, probe: RealPacket, clock: Clock): Promise<ProbeResult['outcome']> {
  const until = clock.now() + probe.withinMs
  for (;;) {
    // Asked again, the kernel says how far it is.
    const code = c.connect(fd, socketAddress(probe.to, probe.port)) === 0 ? ERRORS.EISCONN : c.errno()
    if (code === ERRORS.EISCONN) return 'answered'
    if (code !== ERRORS.EINPROGRESS && code !== ERRORS.EALREADY && code !== ERRORS.EINTR) return outcomeOf(code)
    if (clock.now() >= until) return 'silence'
    await clock.sleep(LOOK_EVERY_MS)
  }
}

async function answered(c: Libc, fd: number, probe: RealPacket, clock: Clock): Promise<ProbeResult['outcome']> {
  const until = clock.now() + probe.withinMs
  if (c.connect(fd, socketAddress(probe.to, probe.port)) < 0) return outcomeOf(c.errno())
  if (c.send(fd, Buffer.alloc(0)) < 0) return outcomeOf(c.errno())
  const into = Buffer.alloc(2048)
  for (;;) {
    if (c.recv(fd, into) >= 0) return 'answered'
    const code = c.errno()
    if (code !== ERRORS.EAGAIN && code !== ERRORS.EINTR) return outcomeOf(code)
    if (clock.now() >= until) return 'silence'
    await clock.sleep(LOOK_EVERY_MS)
  }
}

function outcomeOf(code: number): ProbeResult['outcome'] {
  if (code === ERRORS.ECONNREFUSED) return 'refused'
  if (UNREACHABLE.includes(code)) return 'unreachable'
  if (DROPPED.includes(code)) return 'silence'
  throw new Error(`the kernel refuses the probe with error ${code}`)
}

/** As in sys/socket.h: the family in this machine's order, the port in the network's. */
function socketAddress(address: Address, port: number): Buffer {
  const family = familyOf(address)
  const head = Buffer.alloc(4)
  head.writeUInt16LE(NUMBERS[family], 0)
  head.writeUInt16BE(port, 2)
  const bytes = addressBytes(address)
  return family === 'ipv4'
    ? Buffer.concat([head, bytes, Buffer.alloc(8)])
    : Buffer.concat([head, Buffer.alloc(4), bytes, Buffer.alloc(4)])
}

function portOf(c: Libc, fd: number): number {
  const [address, length] = [Buffer.alloc(28), Buffer.alloc(4)]
  length.writeUInt32LE(address.length, 0)
  return c.getsockname(fd, address, length) < 0 ? 0 : address.readUInt16BE(2)
}
