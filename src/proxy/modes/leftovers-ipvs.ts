import { DELETE_IPVS_DEVICE, IPVS_DEVICE, ipBatch, LIST_ADDRESSES } from '#dialects/ip.ts'
import { destroySet, destroySets, SAVE_SETS } from '#dialects/ipset.ts'
import { deleteServer, IS_IPVS_LOADED, restoreServers, SAVE_SERVERS } from '#dialects/ipvs.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import { FAMILIES } from '#values/address.ts'
import { type IpvsUnit, setUnit, unitParts } from './ipvs/names.ts'
import { ourUnits } from './ipvs/read.ts'
import { TEMPORARY_SETS } from './ipvs/sets.ts'
import { merged, NOTHING, type RemovalParts, type RemovalResult, reasonOf } from './leftovers-removal.ts'

// Removes what ipvs mode leaves besides rules: virtual servers, sets, and kube-ipvs0 with its addresses. Those of other
// programs stay.

export async function removeIpvsLeftovers(parts: RemovalParts): Promise<RemovalResult> {
  const { kernel } = parts
  const left = await listLeftovers(kernel)
  const servers = await removeServers(
    kernel,
    left.flatMap(unit => (unit.kind === 'server' ? [deleteServer(unit.server)] : [])),
  )
  const device = left.some(({ kind }) => kind === 'device') ? await removeDevice(kernel) : NOTHING
  const sets = left.flatMap(unit => (unit.kind === 'set' ? [unit.name] : []))
  return merged([servers, device, await removeSets(parts, sets)])
}

/** A tool that is not installed has left nothing: its listing counts as empty. */
async function listLeftovers(kernel: Kernel): Promise<readonly IpvsUnit[]> {
  const [sets, addresses] = await Promise.all([kernel.run(SAVE_SETS), kernel.run(LIST_ADDRESSES)])
  // ipvsadm would load the IPVS module into a kernel that runs without it.
  const loaded = await kernel.run(IS_IPVS_LOADED)
  const servers = loaded.code === 0 ? (await kernel.run(SAVE_SERVERS)).stdout : ''
  const listings = { sets: sets.stdout, rules: '', servers, addresses: addresses.stdout }
  const units = FAMILIES.flatMap(family => [...ourUnits(listings, family, []).keys()])
  const temporary = Object.values(TEMPORARY_SETS)
    .filter(name => new RegExp(`^create ${name} `, 'm').test(sets.stdout))
    .map(setUnit)
  return [...new Set([...units, ...temporary])].map(unitParts)
}

/** ipvsadm can exit 0 although a line failed; only its stderr shows that. */
async function removeServers(kernel: Kernel, lines: readonly string[]): Promise<RemovalResult> {
  if (lines.length === 0) return NOTHING
  const outcome = await kernel.run(restoreServers(lines))
  if (outcome.code === 0 && outcome.stderr === '') {
    return { removed: [{ tool: 'ipvsadm', what: 'virtual servers', count: lines.length }], remains: [] }
  }
  return { removed: [], remains: [{ what: 'ipvsadm: virtual servers', why: reasonOf(outcome) }] }
}

async function removeDevice(kernel: Kernel): Promise<RemovalResult> {
  const outcome = await kernel.run(ipBatch([DELETE_IPVS_DEVICE]))
  if (outcome.code === 0) return { removed: [{ tool: 'ip', what: `device ${IPVS_DEVICE}`, count: 1 }], remains: [] }
  return { removed: [], remains: [{ what: `ip: device ${IPVS_DEVICE}`, why: reasonOf(outcome) }] }
}

/** nf_tables releases the sets of a deleted rule a moment after the rule is gone; on a busy machine, seconds after. */
const RELEASE_MS = 15_000
const RETRY_MS = 50

async function removeSets({ kernel, clock }: RemovalParts, names: readonly string[]): Promise<RemovalResult> {
  if (names.length === 0) return NOTHING
  const deadline = clock.now() + RELEASE_MS
  // In one process first, which stops at the first set that a rule still uses.
  let left = (await kernel.run(destroySets(names))).code === 0 ? [] : await destroy(kernel, names)
  while (left.length > 0 && clock.now() < deadline) {
    await clock.sleep(RETRY_MS)
    left = await destroy(
      kernel,
      left.map(({ name }) => name),
    )
  }
  const count = names.length - left.length
  return {
    removed: count === 0 ? [] : [{ tool: 'ipset', what: 'sets', count }],
    remains: left.map(({ name, outcome }) => ({ what: `ipset: set ${name}`, why: reasonOf(outcome) })),
  }
}

interface UndeletedSet {
  readonly name: string
  readonly outcome: Outcome
}

async function destroy(kernel: Kernel, names: readonly string[]): Promise<readonly UndeletedSet[]> {
  const left: UndeletedSet[] = []
  for (const name of names) {
    const outcome = await kernel.run(destroySet(name))
    if (outcome.code !== 0) left.push({ name, outcome })
  }
  return left
}
