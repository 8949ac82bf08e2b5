import type { Settle } from './form.ts'
import type { Option } from './parts.ts'

// Options that only make sense together → the options iptables prints for them.

/** `--syn` → the flags it stands for. */
export const settleTcp: Settle = options =>
  options.map(option =>
    option.name === '--syn' ? { ...option, name: '--tcp-flags', values: ['FIN,SYN,RST,ACK', 'SYN'] } : option,
  )

/** Which address `-m recent` remembers is always printed. */
export const settleRecent: Settle = options =>
  options.some(({ name }) => name === '--rdest' || name === '--rsource') ? options : [...options, flag('--rsource')]

/** `! --connlimit-above 5` is `--connlimit-upto 5`, and the side that is counted is always printed. */
export const settleConnlimit: Settle = options => {
  const sided = options.some(({ name }) => name === '--connlimit-daddr' || name === '--connlimit-saddr')
  const plain = options.map(option => (option.negated ? opposite(option) : option))
  return sided ? plain : [...plain, flag('--connlimit-saddr')]
}

function opposite(option: Option): Option {
  if (option.name === '--connlimit-above') return { ...option, name: '--connlimit-upto', negated: false }
  if (option.name === '--connlimit-upto') return { ...option, name: '--connlimit-above', negated: false }
  return option
}

/** Without a balance, there is a queue number. */
export const settleNfqueue: Settle = options =>
  options.some(({ name }) => name === '--queue-balance' || name === '--queue-num')
    ? options
    : [...options, { name: '--queue-num', values: ['0'], negated: false }]

/** A range never limited anything, and nf_tables has no place for it. */
export const settleNflog: Settle = options => options.filter(({ name }) => name !== '--nflog-range')

/** One node of a cluster is a mask with one bit. */
export const settleCluster: Settle = options => options.map(asNodeMask)

function asNodeMask(option: Option): Option {
  const node = Number(option.values[0])
  if (option.name !== '--cluster-local-node' || !(node >= 1 && node <= 32)) return option
  return { ...option, name: '--cluster-local-nodemask', values: [String(2 ** (node - 1))] }
}

function flag(name: string): Option {
  return { name, values: [], negated: false }
}
