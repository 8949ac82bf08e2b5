// What is said to the program inside a namespace and what it says back: one JSON document a line.

/** What this program can carry. SCTP is not among them: Node has no sockets for it. */
export type Transport = 'tcp' | 'udp'

export interface SocketName {
  readonly address: string
  readonly port: number
}

/** What a listener says to everybody who sends it a line: who it is, and what it sees. */
export interface Answer {
  readonly name: string
  /** The client as the listener sees it: where a packet was masqueraded, this is not the client's own address. */
  readonly peer: SocketName
  readonly local: SocketName
  readonly text: string
}

/** `forbidden`: this host's own firewall dropped the packet on its way out. `closed`: the other side hung up politely. */
export type Failure = 'refused' | 'timeout' | 'unreachable' | 'reset' | 'closed' | 'forbidden'

export type ConnectOutcome =
  | { readonly ok: true; readonly answer: Answer; readonly elapsedMs: number }
  | { readonly ok: false; readonly error: Failure; readonly elapsedMs: number }

export interface Door {
  readonly protocol: Transport
  readonly address: string
  readonly port: number
  /** Who answers. */
  readonly name: string
}

export interface Dial {
  readonly protocol: Transport
  readonly to: string
  readonly port: number
  readonly timeoutMs: number
  readonly from?: string
  readonly sourcePort?: number
}

/** A handle is a number chosen by the asker; it names a door or a conversation until it is closed. */
export type Request =
  | { readonly do: 'listen'; readonly handle: number; readonly door: Door }
  | { readonly do: 'connect'; readonly dial: Dial; readonly times: number }
  | { readonly do: 'open'; readonly handle: number; readonly dial: Dial }
  | { readonly do: 'ask'; readonly handle: number; readonly text: string; readonly timeoutMs: number }
  | { readonly do: 'close'; readonly handle: number }

export interface Asked {
  readonly id: number
  readonly request: Request
}

/** A problem is a mistake of the asker (a port in use, an address that is not here), never an outcome of the network. */
export type Reply =
  | { readonly id: number; readonly outcomes: readonly ConnectOutcome[] }
  | { readonly id: number; readonly problem: string }
