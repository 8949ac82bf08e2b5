import type { Report, ServiceChanges, ServicePort } from '#proxy/sync/report.ts'
import { burstLines } from './burst.ts'

// A report → the sentences kube-proxy's users know: what became of each service port, and which addresses it does not get.

export interface Sentences {
  readonly said: readonly string[]
  readonly warned: readonly string[]
}

export function serviceSentences({ serviceChanges }: Report): Sentences {
  const said = [
    ...burstLines(
      serviceChanges.added.map(port => `Adding new service "${port.id}" at ${where(port)}`),
      'services were added',
    ),
    ...burstLines(
      serviceChanges.updated.map(port => `Updating existing service "${port.id}" at ${where(port)}`),
      'services were updated',
    ),
    ...burstLines(
      serviceChanges.removed.map(port => `Removing service "${port.id}" at ${where(port)}`),
      'services were removed',
    ),
  ]
  return { said, warned: burstLines(lostClaims(serviceChanges), 'addresses were claimed twice') }
}

function lostClaims({ added, updated }: ServiceChanges): readonly string[] {
  return [...added, ...updated].flatMap(({ id, lost }) =>
    lost.map(({ frontend, holder }) => `Service "${id}" does not get ${frontend}: "${holder}" is older and has it`),
  )
}

/** `10.103.132.104:3306/TCP`; IPv6 without brackets, as kube-proxy prints it. */
function where({ clusterIP, port, protocol }: ServicePort): string {
  return `${clusterIP ?? 'no address'}:${port}/${protocol.toUpperCase()}`
}
