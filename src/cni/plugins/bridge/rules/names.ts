import { hash } from 'node:crypto'
import type { Holder } from '#ipam/leases/lease-book.ts'

// One interface of one container in one network → the names its rules have. The reference plugins' names are known, too: what
// they left behind is taken back as well.

/**
 * The chain of one interface. For a container's first it is the reference plugin's, and so is the comment: after a change back,
 * its DEL fails where it does not find them.
 */
export function ownChain(holder: Holder): string {
  const { network, container, ifname } = holder
  return ifname === FIRST_INTERFACE ? referenceChain(holder) : chainNamed(`${network}\n${container}\n${ifname}`)
}

/** Its rules have the reference plugin's names. */
export const FIRST_INTERFACE = 'eth0'

/** The reference's: two interfaces of one container share it. */
export function referenceChain({ network, container }: Pick<Holder, 'network' | 'container'>): string {
  return chainNamed(network + container)
}

function chainNamed(text: string): string {
  return `CNI-${digest(text, 24)}`
}

/** What a person sees in a listing of iptables rules. Quotes are escaped, as iptables-save prints them. */
export function iptablesComment({ network, container, ifname }: Holder): string {
  const text = `${iptablesNetwork(network)}id: \\"${container}\\"`
  const whole = ifname === FIRST_INTERFACE ? text : `${text} if: \\"${ifname}\\"`
  // An escape that is cut in two would escape the end of the comment.
  return whole.slice(0, IPTABLES_LENGTH).replace(/\\$/, '')
}

/** How the comment of every rule of a network begins, ours and the reference's. */
export function iptablesNetwork(network: string): string {
  return `name: \\"${network}\\" `
}

/** iptables takes 255 characters, and the escapes are not among them. */
const IPTABLES_LENGTH = 250

/** As the reference does: what belongs to which interface is in the part before the comma, the rest is for people. */
export function interfaceComment(holder: Holder): string {
  const { network, container, ifname } = holder
  const text = `${interfaceTag(holder)}, net: ${network}, if: ${ifname}, id: ${container}`
  return text.replaceAll('"', '').slice(0, NFT_LENGTH)
}

/** Longer ones, nft refuses. */
const NFT_LENGTH = 127

export function interfaceTag({ network, container, ifname }: Holder): string {
  return `${networkTag(network)}${digest(`${ifname}:${container}`, 16)}`
}

/** How the tag of every interface in the network begins. */
export function networkTag(network: string): string {
  return `${digest(network, 16)}-`
}

/** The reference's, for its rules against spoofed hardware addresses. */
export function spoofId({ container, ifname }: Pick<Holder, 'container' | 'ifname'>): string {
  return `${container}-${ifname}`
}

function digest(text: string, length: number): string {
  return hash('sha512', text).slice(0, length)
}
