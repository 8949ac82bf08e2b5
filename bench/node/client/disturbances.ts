import { PROBE } from '../../cluster.ts'
import type { BenchMode } from '../task.ts'

// What another program does to our rules: command lines.

type CommandLine = readonly [string, ...string[]]

export interface Disturbance {
  readonly does: CommandLine
  /** Takes away what a proxy that does not mind would leave. */
  readonly undo?: CommandLine
}

/** One rule in the chain through which all Services are found: the probed Service is not translated any more. */
export const FOREIGN_RULE: Readonly<Record<BenchMode, Disturbance>> = {
  iptables: {
    does: ['iptables', '-w', '-t', 'nat', '-I', 'KUBE-SERVICES', '-d', PROBE.ip, '-j', 'ACCEPT'],
    undo: ['iptables', '-w', '-t', 'nat', '-D', 'KUBE-SERVICES', '-d', PROBE.ip, '-j', 'ACCEPT'],
  },
  nftables: { does: ['nft', 'insert', 'rule', 'ip', 'kube-proxy', 'services', 'ip', 'daddr', PROBE.ip, 'accept'] },
}

/** Every rule is gone; chains, sets and maps stay. */
export const FLUSH: Readonly<Record<BenchMode, Disturbance>> = {
  iptables: { does: ['iptables', '-w', '-t', 'nat', '-F'] },
  nftables: { does: ['nft', 'flush', 'table', 'ip', 'kube-proxy'] },
}

/** As if no proxy had ever run here, in whatever mode. */
export const EMPTY: CommandLine = ['nft', 'flush', 'ruleset']
