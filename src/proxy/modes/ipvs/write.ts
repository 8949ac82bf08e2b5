import { ADD_IPVS_DEVICE, DELETE_IPVS_DEVICE, ipBatch, serviceAddressLine } from '#dialects/ip.ts'
import * as ipset from '#dialects/ipset.ts'
import type { Tools } from '#dialects/iptables.ts'
import * as ipvs from '#dialects/ipvs.ts'
import { LINGERING, type Plan, type Unit } from '#proxy/modes/mode.ts'
import { byName } from '#proxy/modes/netfilter/chain-order.ts'
import { type Layout, restore } from '#proxy/modes/netfilter/document.ts'
import { chainUnit } from '#proxy/modes/netfilter/units.ts'
import type { Command } from '#system/ports.ts'
import { JUMP_UNITS } from './base.ts'
import { type IpvsUnit, type IpvsUnitKind, SERVICES, unitParts } from './names.ts'
import { keepsSource, RECORD, SET_NAMES, setName, setOf, TEMPORARY_SETS } from './sets.ts'

// A plan → runs of each tool, in an order in which nothing dangles and no client is lost: sets before the rules that look
// them up and before the virtual servers they record; what refuses clients or spares them masquerade before the virtual
// servers change or after, by direction; an address last, so that a client that reaches the address finds a server there.

export function write(plan: Plan, tools: Tools): readonly Command[] {
  const sortedPlan: SortedPlan = { make: sorted(plan.add), change: sorted(plan.change), remove: sorted(plan.remove) }
  const { beforeServers, afterServers } = setLines(sortedPlan, plan, tools)
  const sets = run(ipset.restoreSets, beforeServers)
  const rules = restore(plan, tools, LAYOUT)
  const servers = run(ipvs.restoreServers, serverLines(sortedPlan, plan))
  const laterSets = run(ipset.restoreSets, afterServers)
  const addresses = run(ipBatch, addressLines(sortedPlan))
  const destroyed = run(
    ipset.restoreSets,
    sortedPlan.remove.set.map(({ name }) => `destroy ${name}`),
  )
  const steps = replacesRules(plan)
    ? [sets, servers, laterSets, addresses, rules, destroyed]
    : [sets, rules, servers, laterSets, addresses, destroyed]
  return steps.flat()
}

function run(command: (lines: readonly string[]) => Command, lines: readonly string[]): readonly Command[] {
  return lines.length === 0 ? [] : [command(lines)]
}

/** Chains of a later table of jumps stand before the first rule: all of them are in one block. */
const LAYOUT: Layout = { jumps: { units: JUMP_UNITS }, order: texts => [...texts.keys()].sort(byName) }

/**
 * True where another mode's rules are in place: they go on serving until our virtual servers are complete. Elsewhere our rules
 * come first: a connection that IPVS sends on before they can masquerade it would never be answered.
 */
function replacesRules({ change }: Plan): boolean {
  return change.has(chainUnit('nat', SERVICES))
}

type Sorted = { readonly [K in IpvsUnitKind]: readonly (Extract<IpvsUnit, { kind: K }> & { readonly unit: Unit })[] }

interface SortedPlan {
  readonly make: Sorted
  readonly change: Sorted
  readonly remove: Sorted
}

function sorted(units: ReadonlyMap<Unit, unknown> | ReadonlySet<Unit>): Sorted {
  const kinds: Record<IpvsUnitKind, unknown[]> = {
    device: [],
    set: [],
    member: [],
    address: [],
    server: [],
    real: [],
    chain: [],
    line: [],
  }
  for (const unit of [...units.keys()].sort()) {
    const parts = unitParts(unit)
    kinds[parts.kind].push({ unit, ...parts })
  }
  return kinds as unknown as Sorted
}

interface SetLines {
  readonly beforeServers: readonly string[]
  readonly afterServers: readonly string[]
}

/**
 * In the order of the sets: a source range is added before the member that drops all other sources, and deleted after it.
 * A member is there for as long as its virtual server, so that no client goes through unmasqueraded, or to endpoints it
 * is to be kept from.
 */
function setLines({ make, change, remove }: SortedPlan, { add, change: texts }: Plan, { family }: Tools): SetLines {
  const order = new Map(SET_NAMES.map((set, i) => [setName(set, family), i]))
  const byOrder = (a: Member, b: Member): number => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0)
  const rebuilt = new Set(change.set.map(({ name }) => name))
  const destroyed = new Set(remove.set.map(({ name }) => name))
  const addLine = ({ name, entry }: Member, to = name): string =>
    ipset.addLine(to, setOf(name, family) === RECORD ? `${entry} timeout 0` : entry)
  const deleteLine = ({ name, entry }: Member): string =>
    setOf(name, family) === RECORD ? expiringLine(name, entry) : ipset.deleteLine(name, entry)
  const temporary = TEMPORARY_SETS[family]
  const added = Map.groupBy(make.member, ({ name }) => name)
  const coming = make.member.filter(({ name }) => !rebuilt.has(name)).toSorted(byOrder)
  const going = remove.member
    .filter(({ name }) => !rebuilt.has(name) && !destroyed.has(name))
    .toSorted((a, b) => byOrder(b, a))
  const keeps = ({ name }: Member): boolean => keepsSource(setOf(name, family))
  const comesLate = (member: Member): boolean => keeps(member) && remove.real.length + change.real.length > 0
  const goesEarly = (member: Member): boolean => keeps(member) && make.real.length + change.real.length > 0
  return {
    beforeServers: [
      ...make.set.map(({ name, unit }) => ipset.createLine(name, add.get(unit)!)),
      ...change.set.flatMap(({ name, unit }) => {
        const members = (added.get(name) ?? []).map(member => addLine(member, temporary))
        return rebuild({ name, temporary }, texts.get(unit)!, members)
      }),
      ...coming.filter(member => !comesLate(member)).map(member => addLine(member)),
      ...going.filter(goesEarly).map(deleteLine),
    ],
    afterServers: [
      ...coming.filter(comesLate).map(member => addLine(member)),
      ...going.filter(member => !goesEarly(member)).map(deleteLine),
    ],
  }
}

interface Member {
  readonly name: string
  readonly entry: string
}

interface Rebuilt {
  readonly name: string
  readonly temporary: string
}

/**
 * The type of a set cannot be changed. A set of another type is swapped for ours while rules go on looking it up. One that
 * an interrupted run has left under the temporary name may be of any type.
 */
function rebuild({ name, temporary }: Rebuilt, spec: string, members: readonly string[]): readonly string[] {
  return [
    ipset.destroyLine(temporary),
    ipset.createLine(temporary, spec),
    ...members,
    `swap ${temporary} ${name}`,
    ipset.destroyLine(temporary),
  ]
}

/** Longer than it takes to carry out a plan. */
const RECORD_SECONDS = 600

/**
 * The record of a virtual server at one of the node's own addresses must outlive the server: if the agent is killed between
 * the two deletions, only the record shows that the server is ours. So the record gets a timeout, and the kernel deletes it.
 */
function expiringLine(name: string, entry: string): string {
  return ipset.addLine(name, `${entry} timeout ${RECORD_SECONDS}`)
}

/** New endpoints before old ones are deleted, so that no virtual server is without an endpoint for a moment. */
function serverLines({ make, change, remove }: SortedPlan, { add, change: texts }: Plan): readonly string[] {
  const gone = new Set(remove.server.map(({ server }) => `${server.protocol} ${server.at}`))
  const options = (text: string): string => (text === LINGERING ? ipvs.QUIET : text)
  return [
    ...make.server.map(({ server, unit }) => ipvs.serverLine('A', server, add.get(unit)!)),
    ...change.server.map(({ server, unit }) => ipvs.serverLine('E', server, texts.get(unit)!)),
    ...make.real.map(({ server, real, unit }) => ipvs.realLine('a', server, real, options(add.get(unit)!))),
    ...change.real.map(({ server, real, unit }) => ipvs.realLine('e', server, real, options(texts.get(unit)!))),
    ...remove.real
      .filter(({ server }) => !gone.has(`${server.protocol} ${server.at}`))
      .map(({ server, real }) => ipvs.deleteReal(server, real)),
    ...remove.server.map(({ server }) => ipvs.deleteServer(server)),
  ]
}

function addressLines({ make, remove }: SortedPlan): readonly string[] {
  return [
    ...make.device.map(() => ADD_IPVS_DEVICE),
    ...make.address.map(({ ip }) => serviceAddressLine('add', ip)),
    ...(remove.device.length > 0
      ? [DELETE_IPVS_DEVICE]
      : remove.address.map(({ ip }) => serviceAddressLine('delete', ip))),
  ]
}
