import type { Service } from '#kubernetes/objects.ts'
import type { ServiceSource } from './views/services.ts'

// The words of a search field and a choice → the Services they mean, by name. Each word must be found.

export const CHOICES = {
  all: 'All',
  unready: 'Without ready endpoints',
  local: 'With endpoints on this node',
  refused: 'Refused by the kernel',
} as const

export type SearchChoice = keyof typeof CHOICES

export interface Search {
  readonly words: readonly string[]
  readonly choice: SearchChoice
}

export function searchIn(query: URLSearchParams): Search {
  const words = (query.get('q') ?? '').toLowerCase().split(/\s+/)
  const choice = query.get('show') ?? ''
  return {
    words: words.filter(word => word !== '').slice(0, MOST_WORDS),
    choice: Object.hasOwn(CHOICES, choice) ? (choice as SearchChoice) : 'all',
  }
}

/** Each word is looked for in every Service. */
const MOST_WORDS = 8

export function found({ words, choice }: Search, source: ServiceSource): readonly Service[] {
  const refused = choice === 'refused' ? source.refused() : undefined
  const isChosen = (service: Service): boolean => {
    if (refused !== undefined) return refused.has(service.name)
    if (choice === 'all') return true
    const { ready, local } = source.endpointCounts(service.name)
    return choice === 'local' ? local > 0 : ready === 0 && service.type !== 'ExternalName'
  }
  const matches: Service[] = []
  for (const service of source.services()) {
    if (words.every(word => isIn(word, service, source)) && isChosen(service)) matches.push(service)
  }
  return matches.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function isIn(word: string, service: Service, source: ServiceSource): boolean {
  if (service.name.includes(word) || service.type.toLowerCase() === word) return true
  if (addressesOf(service).some(address => address.startsWith(word))) return true
  if (service.ports.some(port => isPort(word, port))) return true
  // Endpoints are ten times as many as Services: only an address is looked for among them.
  return ADDRESS_LIKE.test(word) && source.hasEndpoint(service.name, word)
}

const ADDRESS_LIKE = /^\[?[0-9a-f]*[.:][0-9a-f.:\]]*$/

function addressesOf({ clusterIPs, externalIPs, loadBalancerIPs }: Service): readonly string[] {
  return [...clusterIPs, ...externalIPs, ...loadBalancerIPs]
}

function isPort(word: string, { name, port, nodePort, protocol }: Service['ports'][number]): boolean {
  return [name, String(port), nodePort === undefined ? '' : String(nodePort), `${port}/${protocol}`].includes(word)
}
