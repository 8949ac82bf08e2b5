import type { Plan, Unit } from '#proxy/modes/mode.ts'
import { pieces, portionsOf } from '#proxy/modes/portions.ts'
import { CLUSTER_IPS, ENDPOINT_MAPS, SERVICE_IPS } from './maps.ts'
import { containerOf, kindOf, TABLE_UNIT } from './names.ts'

// A very large plan → new endpoints in pieces, in the maps of a table that is new as well; then all else; then new Services, in
// pieces that lead clients to them one after another, and what refuses other ports of their addresses.

/**
 * While a program listens to changes, such as `nft monitor`, the kernel keeps a page for each element until the transaction
 * ends: half a gigabyte for a hundred thousand of them; nft itself takes 2 KB for each. Each piece is a process more, some 30 ms.
 */
const SIZE = 8000
/** So many are one transaction: a smaller cluster is served the sooner. */
const WHOLE = 20_000

export function portions(plan: Plan): Iterable<Plan> {
  if (plan.add.size <= WHOLE || plan.change.has(TABLE_UNIT)) return [plan]
  const units = [...plan.add.keys()]
  const endpoints = units.filter(unit => ENDPOINT_MAPS.has(containerOf(unit)))
  if (endpoints.length <= WHOLE) return [plan]
  const services = units.filter(unit => containerOf(unit) === SERVICE_IPS)
  const addresses = units.filter(unit => containerOf(unit) === CLUSTER_IPS)
  return portionsOf(plan, {
    ahead: [units.filter(isContainer), ...pieces(endpoints, SIZE)],
    after: services.length > SIZE ? [...pieces(services, SIZE), ...pieces(addresses, SIZE)] : [],
  })
}

function isContainer(unit: Unit): boolean {
  const kind = kindOf(unit)
  return kind === 'table' || kind === 'map'
}
