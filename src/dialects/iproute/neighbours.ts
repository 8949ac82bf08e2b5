import type { Neighbour, Tunnel } from '#system/network/neighbours.ts'
import type { Command } from '#system/ports.ts'
import { type Family, parseAddress } from '#values/address.ts'
import { jsonOf } from './words.ts'

// Permanent neighbours and entries of forwarding databases → the words of `ip neighbour` and `bridge fdb`, and what they print.

const FAMILY_WORDS: Readonly<Record<Family, string>> = { ipv4: '-4', ipv6: '-6' }

export function listNeighbours(link: string, family: Family): Command {
  const words = ['neighbour', 'show', 'dev', link, 'nud', 'permanent']
  return { does: 'other', family, argv: ['ip', '-json', FAMILY_WORDS[family], ...words] }
}

export function neighboursOf(stdout: string): readonly Neighbour[] {
  return (jsonOf(stdout) as readonly Printed[]).flatMap(({ dst, lladdr }) => {
    const address = parseAddress(dst)
    return address === undefined || lladdr === undefined ? [] : [{ address, mac: lladdr }]
  })
}

export function setNeighbour(link: string, { address, mac }: Neighbour): Command {
  const words = ['replace', address, 'lladdr', mac, 'nud', 'permanent', 'dev', link]
  return { does: 'write', argv: ['ip', 'neighbour', ...words] }
}

export function deleteNeighbour(link: string, { address }: Neighbour): Command {
  return { does: 'write', argv: ['ip', 'neighbour', 'delete', address, 'dev', link] }
}

export function listTunnels(link: string): Command {
  return { does: 'other', argv: ['bridge', '-json', 'fdb', 'show', 'dev', link] }
}

/** Some have a hardware address of zeros: those of frames to whom no entry is known. */
export function tunnelsOf(stdout: string): readonly Tunnel[] {
  return (jsonOf(stdout) as readonly Printed[]).flatMap(({ mac, dst, state, flags = [] }) => {
    const host = parseAddress(dst)
    const isOurs = state === 'permanent' && flags.includes('self') && mac !== '00:00:00:00:00:00'
    return host === undefined || mac === undefined || !isOurs ? [] : [{ mac, host }]
  })
}

export function setTunnel(link: string, { mac, host }: Tunnel): Command {
  return { does: 'write', argv: ['bridge', 'fdb', 'replace', mac, 'dev', link, 'dst', host, 'self', 'permanent'] }
}

export function deleteTunnel(link: string, { mac, host }: Tunnel): Command {
  return { does: 'write', argv: ['bridge', 'fdb', 'delete', mac, 'dev', link, 'dst', host, 'self'] }
}

/** Of the fields that are printed, those that are of interest. */
interface Printed {
  readonly dst?: string
  /** Of a neighbour. */
  readonly lladdr?: string
  /** Of an entry of a forwarding database. */
  readonly mac?: string
  readonly flags?: readonly string[]
  readonly state?: string | readonly string[]
}
