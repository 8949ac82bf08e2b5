// The transport protocols a Service may speak, as the kernel tools spell them.

export type Protocol = 'tcp' | 'udp' | 'sctp'
export const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'sctp']
