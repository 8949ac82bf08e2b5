import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { Holder, LeaseOwner } from '../lease-book.ts'

// Addresses that a DHCP server has granted to interfaces of this node's pods, so that whichever process runs next can renew
// and release them.

export interface DhcpLease {
  readonly address: Address
  readonly prefixLength: number
  readonly server: Address
  /** The hardware address its frames came from: the server's, or that of the relay in between. Twelve hex digits. */
  readonly serverHardware: string
  readonly routes: readonly DhcpRoute[]
  readonly gateway?: Address
  /** Milliseconds since the epoch. */
  readonly grantedAt: number
  readonly renewAt: number
  readonly rebindAt: number
  readonly expiresAt: number
}

export interface DhcpRoute {
  readonly destination: Cidr
  /** Absent where the destination is on the link itself. */
  readonly gateway?: Address
}

export interface DhcpRecord {
  readonly owner: LeaseOwner
  readonly boot: string
  readonly lease: DhcpLease
  /** What the client says and asks: numbers of options wanted, and options sent as pairs of a number and hex digits. */
  readonly wanted: readonly number[]
  readonly provided: readonly (readonly [code: number, hex: string])[]
  readonly priority?: number
  /** A link of the node by which the server is reached, too: the bridge. */
  readonly nodeLink?: string
  /** `expired`: its address must not be used; it is asked for again. */
  readonly state: 'bound' | 'expired'
  /** When there is something to do next. */
  readonly dueAt: number
}

/** Each change is durable when it returns. */
export interface DhcpBook {
  /** In place of what the holder had. */
  put(record: DhcpRecord): Promise<void>
  /** False, and nothing is changed, where the holder has another lease by now, or none. */
  replace(before: DhcpRecord, after: DhcpRecord): Promise<boolean>
  /** What was there. */
  remove(holder: Holder): Promise<DhcpRecord | undefined>
  held(holder: Holder): Promise<DhcpRecord | undefined>
  all(): Promise<readonly DhcpRecord[]>
  /** Those that are due at that time. */
  due(at: number): Promise<readonly DhcpRecord[]>
  close(): void
}
