import { addressNumber, parseAddress } from '#values/address.ts'
import { cidrFamily, parseCidr, prefixLength } from '#values/cidr.ts'
import {
  addressAt,
  faultsOf,
  LONGEST_PREFIX,
  type Ring,
  type RingPeer,
  type RingRequest,
  type RingToken,
} from './ring.ts'

// A ring ⇄ the text in which it is stored: JSON with addresses as a person reads them, so that `kubectl get -o yaml` shows it. Each
// node stands in it once, and everything else says which of them it is: five thousand must fit into a ConfigMap.

export function ringText({ range, tokens, peers, requests, revision }: Ring): string {
  const nodes: (readonly [string, string])[] = []
  const numbers = new Map<string, number>()
  const numberOf = ({ name, uid }: RingPeer): number => {
    const key = `${uid} ${name}`
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, nodes.length)
    return nodes.push([name, uid]) - 1
  }
  const written = {
    tokens: tokens.map(token => [addressAt(token.start), numberOf(token), token.epoch]),
    peers: peers.map(numberOf),
    requests: requests.map(request => [numberOf(request), request.addresses, request.of, request.denied]),
  }
  return JSON.stringify({ range, revision, nodes, ...written })
}

/** A text says what is wrong with it, and where. */
export function ringOf(text: string): Ring | string {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return `it is no JSON: ${(error as Error).message}`
  }
  const fields = objectOf(json)
  const range = parseCidr(fields?.range)
  if (fields === undefined || range === undefined)
    return `range: ${JSON.stringify(fields?.range)} is not an address range`
  if (range !== fields.range || cidrFamily(range) !== 'ipv4' || prefixLength(range) > LONGEST_PREFIX) {
    return `range: ${JSON.stringify(fields.range)} is not an IPv4 range of at least four addresses, without host bits`
  }
  const { revision } = fields
  if (!isCount(revision)) return `revision: ${JSON.stringify(revision)} is not a number`
  const nodes = listOf(fields.nodes, nodeOf)
  if (nodes === undefined) return 'nodes: is not a list of [name, uid]'
  const tokens = listOf(fields.tokens, value => tokenOf(value, nodes))
  const peers = listOf(fields.peers, value => nodeAt(value, nodes))
  const requests = listOf(fields.requests, value => requestOf(value, nodes))
  if (tokens === undefined) return 'tokens: is not a list of [address, node, epoch]'
  if (peers === undefined) return 'peers: is not a list of nodes by their number'
  if (requests === undefined) return 'requests: is not a list of [node, addresses, of, denied]'
  const ring = { range, tokens, peers, requests, revision }
  return faultsOf(ring)[0] ?? ring
}

function nodeOf(value: unknown): RingPeer | undefined {
  const [name, uid] = arrayOf(value)
  return typeof name === 'string' && name !== '' && typeof uid === 'string' ? { name, uid } : undefined
}

/** By its place in the list of nodes. */
function nodeAt(value: unknown, nodes: readonly RingPeer[]): RingPeer | undefined {
  return isCount(value) ? nodes[value] : undefined
}

function tokenOf(value: unknown, nodes: readonly RingPeer[]): RingToken | undefined {
  const [at, node, epoch] = arrayOf(value)
  const [address, owner] = [parseAddress(at), nodeAt(node, nodes)]
  if (owner === undefined || address === undefined || address.includes(':') || !isCount(epoch)) return undefined
  return { ...owner, start: Number(addressNumber(address)), epoch }
}

function requestOf(value: unknown, nodes: readonly RingPeer[]): RingRequest | undefined {
  const [node, addresses, of, denied] = arrayOf(value)
  const peer = nodeAt(node, nodes)
  const isList = Array.isArray(denied) && denied.every(name => typeof name === 'string')
  if (peer === undefined || !isCount(addresses) || typeof of !== 'string' || !isList) return undefined
  return { ...peer, addresses, of, denied }
}

function listOf<T>(value: unknown, read: (value: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined
  const found = value.map(read)
  return found.some(one => one === undefined) ? undefined : (found as T[])
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
