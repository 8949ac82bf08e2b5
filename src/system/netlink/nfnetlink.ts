// Numbers of the kernel's netfilter protocol: subsystem 10, nftables.

/** The netlink protocol. */
export const NETFILTER = 12
export const NFTABLES = 10
/** Family, version and resource id stand before the attributes. */
export const HEADER = 4

export const DELTABLE = 2
export const GETTABLE = 1
export const GETCHAIN = 4
export const DELCHAIN = 5
export const GETRULE = 7
export const DELRULE = 8
export const DELSET = 11
export const NEWSETELEM = 12
export const GETSETELEM = 13
export const DELSETELEM = 14
export const NEWGEN = 15
export const GETGEN = 16

export const FAMILY_NUMBERS = { ip: 2, ip6: 10 } as const
