import { DELETE_IPVS_DEVICE, IPVS_DEVICE, LIST_ADDRESSES } from '#dialects/ip.ts'
import { SAVE as SAVE_SETS } from '#dialects/ipset.ts'
import { deleteServer, RESTORE, SAVE as SAVE_SERVERS, SIGN_OF_LIFE } from '#dialects/ipvs.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import { FAMILIES } from '#values/address.ts'
import { DEVICE_UNIT, type IpvsUnit, unitParts } from './ipvs/names.ts'
import { ourUnits } from './ipvs/read.ts'
import { NOTHING, PATIENCE_MS, type SweepParts, type Swept, said, together } from './swept.ts'

// What ipvs mode has left besides rules: virtual servers, sets, addresses on a device of its own. Those of others stay.

export async function sweepIpvs(parts: SweepParts): Promise<Swept> {
  const { kernel } = parts
  const left = await look(kernel)
  const servers = await sweepServers(
    kernel,
    left.flatMap(unit => (unit.kind === 'server' ? [deleteServer(unit.server)] : [])),
  )
  const device = left.some(({ kind }) => kind === 'device') ? await sweepDevice(kernel) : NOTHING
  const sets = left.flatMap(unit => (unit.kind === 'set' ? [unit.name] : []))
  return together([servers, device, await sweepSets(parts, sets)])
}

/** A host without one of the tools has nothing that it could have made. */
async function look(kernel: Kernel): Promise<readonly IpvsUnit[]> {
  const [sets, addresses] = await Promise.all([kernel.run({ argv: SAVE_SETS }), kernel.run({ argv: LIST_ADDRESSES })])
  // ipvsadm would load IPVS into a kernel that does without it.
  const alive = await kernel.run({ argv: ['cat', SIGN_OF_LIFE] })
  const servers = alive.code === 0 ? (await kernel.run({ argv: SAVE_SERVERS })).stdout : ''
  const listings = { sets: sets.stdout, rules: '', servers, addresses: addresses.stdout }
  const units = FAMILIES.flatMap(family => [...ourUnits(listings, family, []).keys()])
  const temporary = /^create KUBE-TEMPORARY /m.test(sets.stdout) ? ['set KUBE-TEMPORARY'] : []
  return [...new Set([...units, ...temporary])].map(unitParts)
}

/** What ipvsadm says on stderr is the only sure sign that something went wrong. */
async function sweepServers(kernel: Kernel, lines: readonly string[]): Promise<Swept> {
  if (lines.length === 0) return NOTHING
  const outcome = await kernel.run({ argv: RESTORE, input: `${lines.join('\n')}\n`, timeoutMs: PATIENCE_MS })
  if (outcome.code === 0 && outcome.stderr === '') {
    return { removed: [{ tool: 'ipvsadm', what: 'virtual servers', count: lines.length }], remains: [] }
  }
  return { removed: [], remains: [{ what: 'ipvsadm: virtual servers', why: said(outcome) }] }
}

async function sweepDevice(kernel: Kernel): Promise<Swept> {
  const outcome = await kernel.run({ argv: ['ip', '-batch', '-'], input: `${DELETE_IPVS_DEVICE}\n` })
  if (outcome.code === 0) return { removed: [{ tool: 'ip', what: DEVICE_UNIT, count: 1 }], remains: [] }
  return { removed: [], remains: [{ what: `ip: device ${IPVS_DEVICE}`, why: said(outcome) }] }
}

/** nf_tables lets go of the sets of a deleted rule a moment after the rule is gone. */
const LET_GO_MS = 2000
const LOOK_MS = 50

async function sweepSets({ kernel, clock }: SweepParts, names: readonly string[]): Promise<Swept> {
  if (names.length === 0) return NOTHING
  const deadline = clock.now() + LET_GO_MS
  let left = (await destroyAll(kernel, names)) ? [] : await destroy(kernel, names)
  while (left.length > 0 && clock.now() < deadline) {
    await clock.sleep(LOOK_MS)
    left = await destroy(
      kernel,
      left.map(({ name }) => name),
    )
  }
  const count = names.length - left.length
  return {
    removed: count === 0 ? [] : [{ tool: 'ipset', what: 'sets', count }],
    remains: left.map(({ name, outcome }) => ({ what: `ipset: set ${name}`, why: said(outcome) })),
  }
}

/** In one process, which stops at the first that is held on to. */
async function destroyAll(kernel: Kernel, names: readonly string[]): Promise<boolean> {
  const { code } = await kernel.run({
    argv: ['ipset', 'restore'],
    input: names.map(name => `destroy ${name}\n`).join(''),
  })
  return code === 0
}

interface Stubborn {
  readonly name: string
  readonly outcome: Outcome
}

async function destroy(kernel: Kernel, names: readonly string[]): Promise<readonly Stubborn[]> {
  const left: Stubborn[] = []
  for (const name of names) {
    const outcome = await kernel.run({ argv: ['ipset', 'destroy', name] })
    if (outcome.code !== 0) left.push({ name, outcome })
  }
  return left
}
