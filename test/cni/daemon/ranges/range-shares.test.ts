import { expect, test } from 'vitest'
import { rangeShares } from '#cni/daemon/ranges/range-shares.ts'
import type { PodRangesSettings } from '#config/settings.ts'
import { accepted, problems } from '../../../config/parsing.ts'

const shares = async (env: Readonly<Record<string, string>>, ...flags: readonly string[]) =>
  rangeShares((await accepted({ verb: 'pods', argv: ['--ranges-from=ring', ...flags] })).settings.podRanges, env)

test('the flag goes before the environment, and that before Weave’s range', async () => {
  const env = { IPALLOC_RANGE: '10.50.0.0/16' }
  expect(await shares({})).toMatchObject({ range: '10.32.0.0/12', subnet: '10.32.0.0/12' })
  expect(await shares(env)).toMatchObject({ range: '10.50.0.0/16', subnet: '10.50.0.0/16' })
  expect(await shares(env, '--ipalloc-range=10.60.0.0/16')).toMatchObject({ range: '10.60.0.0/16' })
})

test('what the environment says is checked as a flag is', async () => {
  await expect(shares({ IPALLOC_RANGE: '10.50.0.0/33' })).rejects.toThrow(
    'IPALLOC_RANGE: invalid value "10.50.0.0/33": must be an IPv4 range of at least four addresses, such as 10.32.0.0/12',
  )
  await expect(shares({ IPALLOC_RANGE: '10.50.0.0/16' }, '--ipalloc-default-subnet=10.60.0.0/24')).rejects.toThrow(
    '--ipalloc-default-subnet: invalid value "10.60.0.0/24": must be a part of 10.50.0.0/16',
  )
})

test('other sources need none of it', () => {
  const settings: PodRangesSettings = { from: 'node', init: { mode: 'observer' } }
  expect(rangeShares(settings, { IPALLOC_RANGE: 'nonsense' })).toEqual({ from: 'node' })
})

test.each([
  ['--ranges-from=nodes', '--ranges-from: invalid value "nodes": must be config, node or ring'],
  [
    '--ipalloc-range=fd00::/64',
    '--ipalloc-range: invalid value "fd00::/64": must be an IPv4 range of at least four addresses, such as 10.32.0.0/12',
  ],
  [
    '--ipalloc-init=consensus=0',
    '--ipalloc-init: invalid value "consensus=0": must be consensus, consensus=N, seed=NODE,NODE or observer, such as consensus=3',
  ],
  [
    '--ipalloc-init=seed=a,,b',
    '--ipalloc-init: invalid value "seed=a,,b": must be consensus, consensus=N, seed=NODE,NODE or observer, such as consensus=3',
  ],
])('%s is refused', async (flag, line) => {
  expect(await problems({ verb: 'pods', argv: [flag] })).toEqual([line])
})
