import { ADD_IPVS_DEVICE, DELETE_IPVS_DEVICE, ipBatch, serviceAddressLine } from '#dialects/ip.ts'
import * as ipset from '#dialects/ipset.ts'
import { restoreInto, type Tools } from '#dialects/iptables.ts'
import * as ipvs from '#dialects/ipvs.ts'
import { LINGERING, type Plan, type Unit } from '#proxy/modes/mode.ts'
import type { Command } from '#system/ports.ts'
import { chainUnit, type IpvsUnit, type IpvsUnitKind, SERVICES, unitParts } from './names.ts'
import { RECORD, SET_NAMES, setName, setOf } from './sets.ts'
import { ruleBlocks } from './write-rules.ts'

// A plan → at most one run of each tool, in an order in which nothing dangles: sets before the rules that look them up and
// before the virtual servers they record; an address last, so that a client that reaches the address finds a server there.

export function write(plan: Plan, tools: Tools): readonly Command[] {
  const sortedPlan: SortedPlan = { make: sorted(plan.add), change: sorted(plan.change), remove: sorted(plan.remove) }
  const sets = run(ipset.restoreSets, setLines(sortedPlan, plan, tools))
  const rules = rulesCommand(plan, tools)
  const servers = run(ipvs.restoreServers, serverLines(sortedPlan, plan))
  const addresses = run(ipBatch, addressLines(sortedPlan))
  const destroyed = run(
    ipset.restoreSets,
    sortedPlan.remove.set.map(({ name }) => ipset.destroyLine(name)),
  )
  const steps = replacesRules(plan)
    ? [sets, servers, addresses, rules, destroyed]
    : [sets, rules, servers, addresses, destroyed]
  return steps.flat()
}

function run(command: (lines: readonly string[]) => Command, lines: readonly string[]): readonly Command[] {
  return lines.length === 0 ? [] : [command(lines)]
}

function rulesCommand(plan: Plan, tools: Tools): readonly Command[] {
  const input = ruleBlocks(plan, tools)
  return input === '' ? [] : [restoreInto(tools, input)]
}

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

/** In the order of the sets: a source range is added before the member that drops all other sources, and deleted after it. */
function setLines(
  { make, change, remove }: SortedPlan,
  { add, change: texts }: Plan,
  { family }: Tools,
): readonly string[] {
  const order = new Map(SET_NAMES.map((set, i) => [setName(set, family), i]))
  const byOrder = (a: { readonly name: string }, b: { readonly name: string }): number =>
    (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0)
  const rebuilt = new Set(change.set.map(({ name }) => name))
  const destroyed = new Set(remove.set.map(({ name }) => name))
  const addLine = ({ name, entry }: { readonly name: string; readonly entry: string }, to = name): string =>
    ipset.addLine(to, setOf(name, family) === RECORD ? `${entry} timeout 0` : entry)
  const added = Map.groupBy(make.member, ({ name }) => name)
  return [
    ...make.set.map(({ name, unit }) => ipset.createLine(name, add.get(unit)!)),
    ...change.set.flatMap(({ name, unit }) => [
      ...rebuild(name, texts.get(unit)!, temporary =>
        (added.get(name) ?? []).map(member => addLine(member, temporary)),
      ),
    ]),
    ...make.member
      .filter(({ name }) => !rebuilt.has(name))
      .toSorted(byOrder)
      .map(member => addLine(member)),
    ...remove.member
      .filter(({ name }) => !rebuilt.has(name) && !destroyed.has(name))
      .toSorted((a, b) => byOrder(b, a))
      .map(({ name, entry }) =>
        setOf(name, family) === RECORD ? expiringLine(name, entry) : ipset.deleteLine(name, entry),
      ),
  ]
}

const TEMPORARY = 'KUBE-TEMPORARY'

/** The type of a set cannot be changed. A set of another type is swapped for ours while rules go on looking it up. */
function rebuild(name: string, spec: string, members: (temporary: string) => readonly string[]): readonly string[] {
  return [
    ipset.createLine(TEMPORARY, spec),
    ...members(TEMPORARY),
    `swap ${TEMPORARY} ${name}`,
    ipset.destroyLine(TEMPORARY),
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
