import type { Commit, Touch } from '#system/ports.ts'

// Lines of `nft monitor` → what they say: what a transaction touched, line by line, then its number and its program.

/** Prints every change of rules in the kernel, transaction by transaction. */
export const MONITOR_RULES = ['nft', 'monitor'] as const

export type MonitorLine = { readonly touch: Touch } | { readonly end: Omit<Commit, 'touches'> }

/** Undefined for a line that says neither. A map that is deleted is called a set there. */
export function monitorLine(line: string): MonitorLine | undefined {
  const end = /^# new generation (\d+) by process (\d+) \((.*)\)$/.exec(line)
  if (end !== null) return { end: { generation: Number(end[1]), process: Number(end[2]), program: end[3]! } }
  const [, verb, what, family, table, name = ''] =
    /^(add|create|insert|replace|delete|destroy) (\w+) (\w+) (\S+)(?: (\S+))?/.exec(line) ?? []
  if (verb === undefined || what === undefined || family === undefined || table === undefined) return undefined
  const kind = KINDS[what] ?? 'other'
  const touch: Touch = {
    family: family === 'ip' || family === 'ip6' ? family : 'other',
    table,
    verb: verb === 'delete' || verb === 'destroy' ? 'delete' : 'add',
    kind,
    name: kind === 'table' || kind === 'other' ? '' : name,
  }
  return { touch }
}

const KINDS: Readonly<Record<string, Touch['kind']>> = {
  table: 'table',
  chain: 'chain',
  rule: 'rule',
  set: 'set',
  map: 'set',
  element: 'element',
}
