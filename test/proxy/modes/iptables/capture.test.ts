import { readFileSync } from 'node:fs'
import { canonical, parse } from 'iptables-parser'
import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { documents } from '#kubernetes/sources/files.ts'
import { paperMode } from '#proxy/agent/fit-mode.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { CHAINS } from '#proxy/modes/iptables/chains.ts'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { unitsIn } from '#proxy/modes/netfilter/chains.ts'
import { ruleUnit } from '#proxy/modes/netfilter/units.ts'
import { NO_HOST_NETWORK } from '#proxy/node/host-network.ts'
import { nodeReader } from '#proxy/node/node-view.ts'
import { Draft } from '#proxy/sync/draft.ts'
import type { Family } from '#values/address.ts'
import { textsOf, unit } from '../../../support/units.ts'

// The same objects, once rendered by kube-proxy 1.36 and once by this mode.

const FIXTURES = new URL('../../../../fixtures/', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, FIXTURES), 'utf8')

async function ours(family: Family): Promise<Ruleset> {
  const parsed = await parseArguments('run', ['--cluster-cidr=10.244.0.0/16', '--hostname-override=inv1'], () =>
    Promise.reject(),
  )
  if (!parsed.ok) throw new Error(parsed.problems.join())
  const cluster = new Cluster()
  for (const event of documents([{ name: 'capture', text: read('clusters/capture-1.36.yaml') }])) {
    expect(event.type).not.toBe('problem')
    cluster.apply(event)
  }
  const { settings } = parsed
  const around = nodeReader({ settings, family, nodeName: 'inv1', hostNetwork: () => NO_HOST_NETWORK })
  const draft = new Draft(cluster, paperMode(settings, family), around)
  draft.update()
  return draft.book.rules
}

/** Without the rules that only count packets (nfacct), which this mode does not write. */
function theirs(family: Family): Ruleset {
  const save = read(`saves/iptables-1.36-${family === 'ipv4' ? 'v4' : 'v6'}.save`)
  const lines = save.split('\n').filter(line => !line.includes('localhost_nps_accepted_pkts'))
  return unitsIn(lines.map(line => line.replace(/ -m nfacct --nfacct-name +\w+/, '')).join('\n'), CHAINS)
}

const sorted = (rules: Ruleset): Record<string, readonly string[]> =>
  Object.fromEntries(
    [...textsOf(rules)].sort().map(([unit, text]) => [unit, shared(unit) ? text.split('\n').sort() : text.split('\n')]),
  )

/** kube-proxy writes these in the order of a hash table. */
function shared(unit: string): boolean {
  return /^(?:nat|filter) KUBE-(?:SERVICES|NODEPORTS|EXTERNAL-SERVICES|PROXY-FIREWALL)$/.test(unit)
}

describe.each(['ipv4', 'ipv6'] as const)('what kube-proxy 1.36 wrote for %s', family => {
  test('is what we write: the same chains, the same rules', async () => {
    expect(sorted(await ours(family))).toEqual(sorted(theirs(family)))
  })

  test('and in the very words iptables-save uses', async () => {
    for (const [unit, text] of await ours(family)) {
      const rule = ruleUnit(unit)!
      const lines = rule.kind === 'line' ? [`-A ${rule.line}`] : text.split('\n').filter(Boolean)
      for (const line of lines) expect(canonical(line)).toBe(line)
    }
  })
})

test('the node port rule stands last in KUBE-SERVICES', async () => {
  const text = (await ours('ipv4')).get(unit('nat KUBE-SERVICES'))!
  expect(text.split('\n').at(-1)).toContain('NOTE: this must be the last rule in this chain')
})

test('a document that kube-proxy wrote is one we can read', () => {
  expect(parse(read('saves/iptables-1.36-v4.save')).tables.map(({ name }) => name)).toEqual(['mangle', 'filter', 'nat'])
})
