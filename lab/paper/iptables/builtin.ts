// The tables of iptables and the chains every table starts with.

export type Variant = 'nft' | 'legacy'
export type TableName = 'mangle' | 'raw' | 'filter' | 'nat'
export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING'

/** In the order in which iptables-save prints tables; each with its built-in chains. */
export const BUILTIN: Readonly<Record<TableName, readonly Hook[]>> = {
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  raw: ['PREROUTING', 'OUTPUT'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
}

export const TABLE_NAMES = Object.keys(BUILTIN) as readonly TableName[]
