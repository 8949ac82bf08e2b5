// Kernel settings under /proc/sys, read and written with the two plainest programs there are.

export function readSysctl(key: string): readonly [string, ...string[]] {
  return ['cat', `/proc/sys/${key}`]
}

export function writeSysctl(
  key: string,
  value: number,
): { readonly argv: readonly [string, ...string[]]; readonly input: string } {
  return { argv: ['tee', `/proc/sys/${key}`], input: `${value}\n` }
}

export const TCP_BE_LIBERAL = 'net/netfilter/nf_conntrack_tcp_be_liberal'
export const ROUTE_LOCALNET = 'net/ipv4/conf/all/route_localnet'
