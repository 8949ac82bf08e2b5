import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { nodeMachine } from '#cni/daemon/machine.ts'
import { rangeShares } from '#cni/daemon/ranges/range-shares.ts'
import { rangesApi, takeRanges } from '#cni/daemon/ranges/take-ranges.ts'
import type { GrantedRanges } from '#ipam/leases/lease-book.ts'
import { startApiServer } from '#lab/api-server/server.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { accepted } from '../config/parsing.ts'
import { captureLog } from '../support/captured-log.ts'
import type { Effects } from './effect.ts'

// Where the pods' daemon takes its ranges from: of a Node with 10.244.7.0/24, in a cluster of that node alone.

export const POD_RANGES: Effects = {
  'ranges-from': async () => {
    expect(await subnets()).toEqual([])
    expect(await subnets('--ranges-from=node')).toEqual(['10.244.7.0/24'])
    expect(await subnets('--ranges-from=ring')).toEqual(['10.32.0.0/12'])
  },
  'ipalloc-range': async () => {
    expect(await subnets('--ranges-from=ring', '--ipalloc-range=10.244.0.0/16')).toEqual(['10.244.0.0/16'])
  },
  'ipalloc-init': async () => {
    expect((await taken('--ranges-from=ring', '--ipalloc-init=observer')).why).toContain('an observer makes none')
    expect((await taken('--ranges-from=ring', '--ipalloc-init=consensus=3')).why).toContain('1 of 3 nodes are there')
    expect(await subnets('--ranges-from=ring', '--ipalloc-init=seed=n1')).toEqual(['10.32.0.0/12'])
  },
  'ipalloc-default-subnet': async () => {
    const part = '--ipalloc-default-subnet=10.40.0.0/16'
    expect(await subnets('--ranges-from=ring', part)).toEqual(['10.40.0.0/16'])
  },
}

async function subnets(...flags: readonly string[]): Promise<readonly string[]> {
  return (await taken(...flags)).sets.flat().map(({ subnet }) => subnet)
}

const SOON = { timeout: 30_000, interval: 10 }

/** What a daemon with these flags has been given once it has asked. */
async function taken(...flags: readonly string[]): Promise<Pick<GrantedRanges, 'sets' | 'why'>> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-ranges-'))
  const server = await startApiServer()
  const podCIDRs = ['10.244.7.0/24']
  server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: 'u1' }, spec: { podCIDRs } })
  const argv = [`--master=${server.url}`, '--hostname-override=n1', `--conf-dir=${folder}`, ...flags]
  const { settings } = await accepted({ verb: 'pods', argv })
  const [kernel, clock] = [new PaperKernel(), new PaperClock(1_000_000)]
  const machine = nodeMachine({ kernel, clock, database: join(folder, 'ipam.db') })
  const stop = new AbortController()
  const shares = rangeShares(settings.podRanges, {})
  const api = await rangesApi(shares, { settings, kernel, clock })
  const done = takeRanges({ settings, machine, api, clock, log: captureLog().log, signal: stop.signal }, shares)
  try {
    if (shares.from === 'config') await done
    else {
      await vi.waitFor(async () => {
        const known = (await machine.grants()).load()
        expect([known !== undefined, known?.why]).toEqual([true, expect.not.stringContaining('not read yet')])
      }, SOON)
    }
    const granted = (await machine.grants()).load() ?? { sets: [], why: '' }
    if (granted.sets.length > 0) {
      await vi.waitFor(() => readFileSync(join(folder, '10-switchyard.conflist')), SOON)
    }
    return granted
  } finally {
    stop.abort()
    await done
    machine.close()
    await server.close()
    rmSync(folder, { recursive: true })
  }
}
