// The requests to the program inside a namespace, and its replies: one JSON document a line.

/** What this program can carry. SCTP is not among them: Node has no sockets for it. */
export type Transport = 'tcp' | 'udp'

export interface SocketName {
  readonly address: string
  readonly port: number
}

/** What a listener answers to each line: its name, and what it sees. */
export interface Answer {
  readonly name: string
  /** The client as the listener sees it: where a packet was masqueraded, this is not the client's own address. */
  readonly peer: SocketName
  readonly local: SocketName
  readonly text: string
}

/** `forbidden`: this host's own firewall dropped the packet on its way out. `closed`: the other side hung up with a FIN. */
export type Failure = 'refused' | 'timeout' | 'unreachable' | 'reset' | 'closed' | 'forbidden'

export type ConnectOutcome =
  | { readonly ok: true; readonly answer: Answer; readonly elapsedMs: number }
  | { readonly ok: false; readonly error: Failure; readonly elapsedMs: number }

export interface ListenerAddress {
  readonly protocol: Transport
  readonly address: string
  readonly port: number
  /** The name in its answers. */
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

/** A handle is a number the client chose; it names a listener or a conversation until that is closed. */
export type Request =
  | { readonly do: 'listen'; readonly handle: number; readonly listener: ListenerAddress }
  | { readonly do: 'connect'; readonly dial: Dial; readonly times: number }
  | { readonly do: 'open'; readonly handle: number; readonly dial: Dial }
  | { readonly do: 'ask'; readonly handle: number; readonly text: string; readonly timeoutMs: number }
  | { readonly do: 'close'; readonly handle: number }

export interface Asked {
  readonly id: number
  readonly request: Request
}

/** A problem is a mistake in the request (a port in use, an address that is not here), never an outcome of the network. */
export type Reply =
  | { readonly id: number; readonly outcomes: readonly ConnectOutcome[] }
  | { readonly id: number; readonly problem: string }
