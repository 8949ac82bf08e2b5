import { canonicalHostPort, splitHostPort } from '#dialects/ipvs.ts'
import { familyOf } from '#values/address.ts'
import type { VirtualServers } from './virtual-servers.ts'

// The words after `ipvsadm`, or of one line for `ipvsadm -R` → what they do to the virtual servers.

/** The words make no sense: ipvsadm ends there. */
export class ServerUsage extends Error {
  readonly code: number

  constructor(code: number, text: string) {
    super(text)
    this.name = 'ServerUsage'
    this.code = code
  }
}

const NO_WORD = new ServerUsage(255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information.")
const SERVER_FLAGS = ['-t', '-u', '--sctp-service', '-f']
/** Where no value follows `-p`. */
const STICKY_SECONDS = '360'

export function serverLine(servers: VirtualServers, line: string): () => void {
  const [verb = '', flag = '', address = '', ...words] = line.split(' ')
  if (!/^-[AEDaed]$/.test(verb) || !SERVER_FLAGS.includes(flag)) throw NO_WORD
  const at = `${flag} ${flag === '-f' ? address : canonicalHostPort(address)}`
  const given = optionsOf(words)
  if ('AED'.includes(verb[1]!) && flag !== '-f' && !given.has('-p') && !(splitHostPort(address).port > 0)) {
    throw new ServerUsage(2, 'Zero port specified for non-persistent service')
  }
  switch (verb) {
    case '-A':
      return () => servers.add(at, choicesOf(given))
    case '-E':
      return () => servers.edit(at, choicesOf(given))
    case '-D':
      return () => servers.delete(at)
  }
  const real = realOf(given, flag === '-f' ? undefined : address)
  if (verb === '-a') return () => servers.addReal(at, real, realOptions(given))
  return verb === '-e' ? () => servers.editReal(at, real, realOptions(given)) : () => servers.deleteReal(at, real)
}

function choicesOf(given: ReadonlyMap<string, string>) {
  const scheduler = given.get('-s') ?? 'wlc'
  const more = ['-p', '-b'].flatMap(flag => (given.has(flag) ? [`${flag} ${given.get(flag)}`] : []))
  return { scheduler, text: [`-s ${scheduler}`, ...more].join(' ') }
}

function realOf(given: ReadonlyMap<string, string>, server: string | undefined): string {
  const real = given.get('-r')
  if (real === undefined) throw NO_WORD
  const [one, other] = [real, server].map(at => (at === undefined ? undefined : splitHostPort(at).ip))
  if (one !== undefined && other !== undefined && familyOf(one) !== familyOf(other)) {
    throw new ServerUsage(2, 'Different address family is allowed only for tunneling servers')
  }
  return canonicalHostPort(real)
}

function realOptions(given: ReadonlyMap<string, string>): string {
  const way = ['-m', '-i'].find(flag => given.has(flag)) ?? '-g'
  return `${way} -w ${given.get('-w') ?? '1'}`
}

const WITH_VALUE = ['-s', '-b', '-r', '-w']
const ALONE = ['-m', '-g', '-i']

function optionsOf(words: readonly string[]): ReadonlyMap<string, string> {
  const given = new Map<string, string>()
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const next = words[at + 1]
    if (ALONE.includes(word)) given.set(word, '')
    else if (word === '-p') given.set(word, next !== undefined && /^\d+$/.test(next) ? words[++at]! : STICKY_SECONDS)
    else if (WITH_VALUE.includes(word) && next !== undefined) given.set(word, words[++at]!)
    else throw NO_WORD
  }
  return given
}
