import type { News, Report, ServicePort } from '../sync/report.ts'

// A report → the sentences users know: what became of each service port, and what could not be had.

export interface Sentences {
  readonly said: readonly string[]
  readonly warned: readonly string[]
}

/** The first of a burst one by one, the rest as one counted line. */
const LINES_PER_BURST = 100

export function serviceSentences({ news }: Report): Sentences {
  const said = [
    ...burst(
      news.added.map(port => `Adding new service "${port.id}" at ${where(port)}`),
      'services were added',
    ),
    ...burst(
      news.updated.map(port => `Updating existing service "${port.id}" at ${where(port)}`),
      'services were updated',
    ),
    ...burst(
      news.removed.map(port => `Removing service "${port.id}" at ${where(port)}`),
      'services were removed',
    ),
  ]
  return { said, warned: burst(lostClaims(news), 'addresses were claimed twice') }
}

function lostClaims({ added, updated }: News): readonly string[] {
  return [...added, ...updated].flatMap(({ id, lost }) =>
    lost.map(({ door, holder }) => `Service "${id}" does not get ${door}: "${holder}" is older and has it`),
  )
}

/** `10.103.132.104:3306/TCP`; IPv6 without brackets, as kube-proxy prints it. */
function where({ clusterIP, port, protocol }: ServicePort): string {
  return `${clusterIP ?? 'no address'}:${port}/${protocol.toUpperCase()}`
}

function burst(lines: readonly string[], what: string): readonly string[] {
  if (lines.length <= LINES_PER_BURST) return lines
  return [...lines.slice(0, LINES_PER_BURST), `… and ${lines.length - LINES_PER_BURST} more ${what}`]
}
