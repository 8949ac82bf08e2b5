// Ethernet frames of one interface, as a port: for protocols that speak before an address is there.

export interface PacketLinks {
  /** `namespace` is a path; without one it is the node's own. A refusal is a PacketsRefused. */
  open(link: string, namespace?: string): Promise<PacketLink>
}

/** Nothing here waits: what has not come is undefined. */
export interface PacketLink {
  /** The interface's own address, six bytes. */
  readonly hardware: Buffer
  send(frame: Buffer): void
  /** The next IPv4 frame that came in. */
  receive(): Buffer | undefined
  close(): void
}

export class PacketsRefused extends Error {
  override readonly name = 'PacketsRefused'
  /** The kernel's word, `ENODEV`; `ENOSYS` where this process cannot ask it. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
