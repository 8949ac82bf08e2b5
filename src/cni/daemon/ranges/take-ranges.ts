import { join } from 'node:path'
import type { PodRangesSettings, Settings } from '#config/settings.ts'
import { configSource } from '#ipam/sources/config-source.ts'
import type { MyRanges } from '#ipam/sources/range-source.ts'
import { freeOf } from '#ipam/table/fullness.ts'
import { placedFiles } from '#system/placed-files.ts'
import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { namesBefore } from '../../install/name-order.ts'
import type { NodeMachine } from '../machine.ts'
import { type NodeApi, type NodeApiOptions, nodeApi } from '../rounds/node-api.ts'
import { areRoutesKept } from '../routes/kept.ts'
import { CONFIGURATION_FILE, networkConfiguration } from './network-configuration.ts'
import { RangeKeeper, type Room } from './range-keeper.ts'
import { rangeReports } from './range-reports.ts'
import type { RangeShares } from './range-shares.ts'

// Settings → the ranges of this node, kept up to date while the daemon runs.

export interface TakeRangesParts {
  readonly settings: Pick<Settings, 'cni' | 'routes'>
  readonly machine: NodeMachine
  /** See `rangesApi`. */
  readonly api: NodeApi | undefined
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Resolves when the signal has aborted and what was under way is done. A database that cannot be used is no reason to end: each
 * call says what is wrong with it.
 */
export async function takeRanges(parts: TakeRangesParts, shares: RangeShares): Promise<void> {
  const { api, clock, log, signal } = parts
  for (let isFirst = true; ; isFirst = false) {
    try {
      await keepRanges(parts, shares)
      break
    } catch (error) {
      if (isFirst) log.error('Ranges of this node cannot be kept', error, { next: 'tried again every 10s' })
    }
    await clock.sleep(AGAIN_MS, signal)
    if (signal.aborted) break
  }
  await api?.close()
}

const AGAIN_MS = 10_000
const ORDER = 'the first by name counts: remove it where its network is no longer wanted'

async function keepRanges(parts: TakeRangesParts, shares: RangeShares): Promise<void> {
  const { settings, machine, api, clock, log, signal } = parts
  const book = await machine.grants()
  if (shares.from === 'config' || api === undefined) {
    await configSource(book).refresh()
    return
  }
  // In a chunk of its own: a daemon without it does without an HTTP client.
  const { sourceFromApi } = await import('./api-sources.ts')
  const source = sourceFromApi({ shares, api, memory: book, clock, random: Math.random })
  if (shares.from === 'ring') {
    const { range, subnet, init } = shares
    log.info(0, `ipalloc-range:${range}`, { init: initText(init), ...(subnet !== range && { subnet }) })
  }
  const { confDir } = settings.cni
  const masquerade = areRoutesKept(settings, shares) ? 'node' : 'plugin'
  const choice = { masquerade, ...(shares.from === 'ring' && { ring: shares.subnet }) } as const
  const configure = async (mine: MyRanges): Promise<'placed' | 'unchanged'> => {
    if (confDir === undefined) return 'unchanged'
    const path = join(confDir, CONFIGURATION_FILE)
    const text = networkConfiguration(mine, choice)
    const file = { content: { text }, mode: 0o644 }
    if (await placedFiles.has(path, file)) return 'unchanged'
    await placedFiles.place(path, file)
    const [first] = namesBefore(CONFIGURATION_FILE, await placedFiles.list(confDir))
    if (first !== undefined)
      log.warning('Runtimes take another network configuration', { taken: first, ours: path, next: ORDER })
    return 'placed'
  }
  const reports = rangeReports({ source: shares.from, book, log, configure })
  const room = (mine: MyRanges): Promise<Room> => roomIn(machine, mine)
  // Until it has answered, calls are refused with the reason, and not for what their configuration lacks.
  if (book.load() === undefined) book.save({ source: shares.from, sets: [], why: source.mine().why, record: '{}' })
  // What is remembered counts from the start, whether or not the API server can be reached.
  if (source.mine().sets.length > 0) await reports.looked({ gained: [], lost: [] }, source.mine())
  await new RangeKeeper({ source, room, reports, clock, random: Math.random }).run(signal)
}

/** Undefined where no source is asked. Fails where one is to be, and it is not said where the API server is. */
export async function rangesApi({ from }: RangeShares, parts: NodeApiOptions): Promise<NodeApi | undefined> {
  if (from === 'config') return undefined
  const api = await nodeApi(parts)
  if (api !== undefined) return api
  throw new Error(
    `--ranges-from=${from}: no API server is configured: --kubeconfig or --master says where it is, or the service account of a pod`,
  )
}

function initText(init: PodRangesSettings['init']): string {
  if (init.mode === 'seed') return `seed=${init.names.join(',')}`
  if (init.mode === 'consensus' && init.peers !== undefined) return `consensus=${init.peers}`
  return init.mode
}

async function roomIn(machine: NodeMachine, { sets }: MyRanges): Promise<Room> {
  const book = await machine.leases()
  const usages = await book.usage({ network: '', sets, overlap: 'refuse' })
  const sum = (numbers: readonly bigint[]) => numbers.reduce((total, one) => total + one, 0n)
  return { free: sum(usages.map(freeOf)), size: sum(usages.map(({ size }) => size)) }
}
