import { globSync, readFileSync } from 'node:fs'
import { PLAIN_NAME } from '#dialects/iptables.ts'

// The commands in dialects/ → every program that is run on a node, and the Debian package it comes from.

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

const DIALECTS = new URL('../../src/dialects/', import.meta.url)
/** The first word of a command, or of a program that is followed. */
const FIRST_WORD = /(?:\bargv(?::| =)|^export const MONITOR_\w+ =) \[\s*'([\w.-]+)'/gm

/** Throws where a program is in no package that this file knows: then the image may lack it. */
export function programsRun(): readonly Program[] {
  const sources = globSync('*.ts', { cwd: DIALECTS }).map(path => readFileSync(new URL(path, DIALECTS), 'utf8'))
  const written = sources.flatMap(text => [...text.matchAll(FIRST_WORD)].map(([, name]) => name!))
  const names = new Set([...written, ...Object.values(PLAIN_NAME)])
  return [...names]
    .filter(name => !OURS.includes(name))
    .map(name => {
      const from = PACKAGES[name]
      if (from === undefined)
        throw new Error(`the image must have "${name}": say in test/manifests/programs.ts which package it is in`)
      return { name, from }
    })
}
