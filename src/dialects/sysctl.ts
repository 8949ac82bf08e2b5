import type { Command } from '#system/ports.ts'

// Kernel settings that are files with one number in them, read and written with the plainest programs there are.

export function readSysctl(key: string): Command {
  return { does: 'other', argv: ['cat', sysctlPath(key)] }
}

export function writeSysctl(key: string, value: number): Command {
  return writeNumber(sysctlPath(key), value)
}

export function sysctlPath(key: string): string {
  return `/proc/sys/${key}`
}

/** Many of them with one process, each line with its path in front; a file that is not there has no line. */
export function readFiles(paths: readonly string[]): Command {
  return { does: 'other', argv: ['grep', '-H', '', ...paths] }
}

/** Path → number; those that could not be read are missing. */
export function numbersOf(stdout: string): ReadonlyMap<string, number> {
  const lines = stdout.matchAll(/^(.+?):(-?\d+)$/gm)
  return new Map([...lines].map(([, path, number]) => [path!, Number(number)]))
}

export function writeNumber(path: string, value: number): Command {
  return { does: 'write', argv: ['tee', path], input: `${value}\n` }
}

export const NF_CONNTRACK = 'net/netfilter/nf_conntrack'
export const TCP_BE_LIBERAL = `${NF_CONNTRACK}_tcp_be_liberal`
export const ROUTE_LOCALNET = 'net/ipv4/conf/all/route_localnet'
/** How many lists the kernel sorts connections into. */
export const HASH_SIZE = '/sys/module/nf_conntrack/parameters/hashsize'

export function oomScore(pid: number): string {
  return `/proc/${pid}/oom_score_adj`
}

/** Of a network namespace: a file below /proc/sys/net. */
export function readNetworkSetting(path: string): Command {
  return { does: 'other', argv: ['cat', `/proc/sys/net/${path}`] }
}

export function writeNetworkSetting(path: string, value: string): Command {
  return { does: 'write', argv: ['tee', `/proc/sys/net/${path}`], input: `${value}\n` }
}
