import { type Address, parseAddress } from '#values/address.ts'
import { isPort } from '#values/names.ts'
import { PROTOCOLS, type Protocol } from '#values/protocol.ts'

// The words of FROM and TO → what they name. Nothing is looked up yet.

/** `pod/web-1`, `svc/shop/cart`, `node/worker-1`, `10.244.1.7`. */
export type Party =
  | { readonly is: 'address'; readonly address: Address }
  | { readonly is: 'pod' | 'service'; readonly namespace?: string; readonly name: string }
  /** Without a name: the one whose rules are followed. */
  | { readonly is: 'node'; readonly name?: string }

export interface Goal {
  readonly party: Party
  /** A number or the name of a port; absent: all of a Service. */
  readonly port?: string
  /** Absent: that of the port, where a Service says, and TCP. */
  readonly protocol?: Protocol
}

const FROM_FORMS = 'must be an address such as 10.244.1.7, pod/NAME, pod/NAMESPACE/NAME, or node/NAME'
const TO_FORMS =
  'must be like 10.96.0.10:80, [fd00::1]:80, 10.96.0.10:53/udp, svc/NAMESPACE/NAME, svc/NAME:PORT, NAMESPACE/NAME, pod/NAME:PORT or node/NAME:PORT'

export function fromIn(text: string): Party {
  const address = parseAddress(text)
  if (address !== undefined) return { is: 'address', address }
  const party = named(text, 'pod')
  if (party === undefined || party.is === 'service') throw new Error(`FROM: ${JSON.stringify(text)} ${FROM_FORMS}`)
  return party
}

export function goalIn(text: string): Goal {
  const [, bracketed, four, rest = ''] = /^(?:\[([^\]]+)\]|(\d+\.[\d.]+))(.*)$/.exec(text) ?? []
  const address = parseAddress(bracketed ?? four)
  if (parseAddress(text) !== undefined || (address !== undefined && rest === ''))
    throw new Error(`TO:PORT: ${JSON.stringify(text)} has no port; it ${TO_FORMS}`)
  if (address !== undefined) return { party: { is: 'address', address }, ...portIn(text, rest) }
  const [, words = '', port = ''] = /^([^:]*)(:.*)?$/.exec(text) ?? []
  const party = named(words, 'service')
  if (party === undefined) throw new Error(`TO:PORT: ${JSON.stringify(text)} ${TO_FORMS}`)
  const found = portIn(text, port)
  if (party.is !== 'service' && found.port === undefined)
    throw new Error(`TO:PORT: ${JSON.stringify(text)} has no port; it ${TO_FORMS}`)
  return { party, ...found }
}

const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/
const KINDS: Readonly<Record<string, 'pod' | 'service' | 'node'>> = {
  pod: 'pod',
  pods: 'pod',
  po: 'pod',
  svc: 'service',
  service: 'service',
  services: 'service',
  node: 'node',
  nodes: 'node',
  no: 'node',
}

/** `otherwise`: what NAMESPACE/NAME is of. */
function named(text: string, otherwise: 'pod' | 'service'): Exclude<Party, { is: 'address' }> | undefined {
  const words = text.split('/')
  if (text === 'node') return { is: 'node' }
  if (words.length > 3 || words.some(word => !NAME.test(word))) return undefined
  const kind = Object.hasOwn(KINDS, words[0]!) ? KINDS[words[0]!] : undefined
  if (kind === undefined) {
    const [namespace, name] = words
    return words.length === 2 ? { is: otherwise, namespace: namespace!, name: name! } : undefined
  }
  const [, first, second] = words
  if (first === undefined || (kind === 'node' && second !== undefined)) return undefined
  if (kind === 'node') return { is: kind, name: first }
  return second === undefined ? { is: kind, name: first } : { is: kind, namespace: first, name: second }
}

/** `:3306`, `:mysql`, `:53/udp`; empty for none. */
function portIn(text: string, rest: string): Pick<Goal, 'port' | 'protocol'> {
  if (rest === '') return {}
  const [, port, word] = /^:([a-z0-9-]+)(?:\/(.*))?$/i.exec(rest) ?? []
  const isNumber = /^\d+$/.test(port ?? '')
  if (port === undefined || (isNumber && !isPort(Number(port))))
    throw new Error(`TO:PORT: ${JSON.stringify(text)} ${TO_FORMS}`)
  return { port, ...(word !== undefined && { protocol: protocolIn(word) }) }
}

function protocolIn(word: string): Protocol {
  const protocol = PROTOCOLS.find(one => one === word.toLowerCase())
  if (protocol === undefined)
    throw new Error(`TO:PORT: ${JSON.stringify(word)} is no protocol of Services; they have ${PROTOCOLS.join(', ')}`)
  return protocol
}
