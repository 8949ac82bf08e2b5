import { globSync, readFileSync } from 'node:fs'

// The sources → every program they run on a node, and the Debian package it comes from.

export interface Program {
  readonly name: string
  /** `debian`: there in every Debian. */
  readonly from: string
}

const PACKAGES: Readonly<Record<string, string>> = {
  cat: 'debian',
  grep: 'debian',
  sh: 'debian',
  tee: 'debian',
  uname: 'debian',
  conntrack: 'conntrack',
  ip: 'iproute2',
  ipset: 'ipset',
  iptables: 'iptables',
  ip6tables: 'iptables',
  ipvsadm: 'ipvsadm',
  modprobe: 'kmod',
  nft: 'nftables',
}

/** Answered within our own process. */
const OURS: readonly string[] = ['relay']

const SOURCES = new URL('../../src/', import.meta.url)
const ARGV = /\bargv: \[\s*'([\w.-]+)'/g
/** Where commands are worded, they are also lists of words by themselves. */
const WORDS = /(?:return \['([\w.-]+)'|= \['([\w.-]+)'.*\] as const$)/gm
const IPTABLES = /'(ip6?tables)'/g

/** Throws where a program is in no package that this file knows: then the image may lack it. */
export function programsRun(): readonly Program[] {
  const names = new Set<string>()
  for (const path of globSync('**/*.ts', { cwd: SOURCES })) {
    const text = readFileSync(new URL(path, SOURCES), 'utf8')
    for (const pattern of path.startsWith('dialects/') ? [ARGV, WORDS] : [ARGV, IPTABLES]) {
      for (const [, ...found] of text.matchAll(pattern)) names.add(found.find(name => name !== undefined)!)
    }
  }
  return [...names]
    .filter(name => !OURS.includes(name))
    .map(name => {
      const from = PACKAGES[name]
      if (from === undefined)
        throw new Error(`the image must have "${name}": say in test/manifests/programs.ts which package it is in`)
      return { name, from }
    })
}
