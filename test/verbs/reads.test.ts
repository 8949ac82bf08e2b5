import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { terminalLog } from '#command-line/terminal-log.ts'
import type { Settings } from '#config/settings.ts'
import { verbsOf } from '#config/table/setting.ts'
import { FLAGGED } from '#config/table/table.ts'
import type { Verb } from '#config/verbs.ts'
import { clusterView } from '#operator/source/cluster-view.ts'
import { verified } from '#operator/verify/verified.ts'
import { answered as rangesAnswered } from '#ranges/overview/commands.ts'
import { systemClock } from '#system/clock.ts'
import { explained } from '#verbs/explain.ts'
import { answered } from '#verbs/ipam.ts'
import { rendered } from '#verbs/render.ts'
import { setup } from '#verbs/setup.ts'
import { otherSettings } from '#verbs/verify.ts'
import { type Accepted, accepted } from '../config/parsing.ts'
import { REACHES } from '../config/reaches.ts'
import { ObedientKernel } from '../effects/obedient-kernel.ts'

// A verb lists the settings it reads, and no others: each is run in every mode, with settings that note which of them are looked at.

const SEED = fileURLToPath(new URL('../../fixtures/clusters/seed.yaml', import.meta.url))
const MODES = ['iptables', 'nftables', 'ipvs', 'userspace']
const LOCAL = [
  '',
  '--detect-local-mode=NodeCIDR',
  '--nodeport-addresses=127.0.0.0/8,10.0.0.0/8',
  '--bind-address=10.0.0.1',
]

/** Whether this machine has pods of its own must change nothing. */
const NO_LEASES = '--database=/no/such/ipam.db'

/** Each in its turn. */
const OPERANDS: Partial<Record<Verb, readonly (readonly string[])[]>> = {
  explain: [['10.244.1.9', '10.96.0.1:80']],
  ranges: [['table'], ['audit'], ['plan']],
  ipam: [['ls'], ['who', '10.9.0.2'], ['next'], ['status'], ['plan', '10.9.0.0/16']],
}

/** These decide what is done at all, before a verb begins. */
const BEFORE = ['config', 'help']

/** What a verb reads without being shaped by it. */
const IDLE: Partial<Record<Verb, readonly string[]>> = {
  // It asks whether the mode can be had, and does nothing with the mode that answers.
  setup: ['bind-address', 'ipvs-exclude-cidrs'],
}

/** Read by what takes more than files: `ipam gc`, `check` and `release` look at namespaces and the API server. */
const ELSEWHERE: Partial<Record<Verb, readonly string[]>> = {
  // `plan` reads the range of Services at a place of its own; ipam-questions.test.ts shows what it does there.
  // The controller reads what the table does not, and test/effects shows what each does there; the range of Services is read at a
  // place of its own, as with ipam.
  ranges: [
    ...['allocate-node-cidrs', 'node-cidr-cooldown', 'leader-elect', 'leader-elect-lease-duration'],
    ...['leader-elect-renew-deadline', 'leader-elect-retry-period', 'leader-elect-resource-lock'],
    ...['leader-elect-resource-name', 'leader-elect-resource-namespace', 'ranges-metrics-bind-address'],
    ...['logging-format', 'v', 'vmodule', 'service-cluster-ip-range'],
  ],
  // Where this node keeps routes; kernel tests show what each means there.
  verify: ['overlay', 'overlay-port', 'overlay-vni'],
  ipam: ['context', 'force', 'free', 'hostname-override', 'kubeconfig', 'master', 'service-cluster-ip-range'],
}

const VERBS_THAT_READ: Partial<Record<Verb, (parsed: Accepted) => Promise<unknown>>> = {
  render: parsed => rendered(withLog(parsed)),
  verify: async parsed => {
    // As main does, before it compares.
    void parsed.settings.metrics
    otherSettings({ 'kubeproxy.config.k8s.io': {} }, parsed)
    // As main does with what was found.
    void parsed.settings.questions.output
    void parsed.settings.questions.repair
    const view = await clusterView(withLog(parsed))
    await verified({ settings: parsed.settings, view, kernel: new ObedientKernel(), clock: systemClock })
  },
  explain: async parsed => {
    void parsed.settings.questions.output
    await explained(withLog(parsed), new ObedientKernel())
  },
  setup: parsed => setup({ ...withLog(parsed), kernel: new ObedientKernel() }),
  ipam: answered,
  ranges: parsed => rangesAnswered(parsed.operands[0] as 'table' | 'audit' | 'plan', withLog(parsed)),
  cleanup: async () => {},
  help: async () => {},
  version: async () => {},
}

describe('a verb lists the settings it reads, and no others', () => {
  test.each(Object.entries(VERBS_THAT_READ))('%s', async (name, act) => {
    const verb = name as Verb
    const read = await readBy(verb, act)
    const flags = Object.entries(REACHES).filter(([, { read: look }]) => [...paths(look)].some(path => read.has(path)))
    const listed = FLAGGED.filter(setting => verbsOf(setting).includes(verb)).map(({ flag }) => flag)
    const idle = IDLE[verb] ?? []
    const elsewhere = ELSEWHERE[verb] ?? []
    expect(listed.filter(flag => !BEFORE.includes(flag) && !elsewhere.includes(flag)).toSorted()).toEqual(
      flags
        .map(([flag]) => flag)
        .filter(flag => !idle.includes(flag))
        .toSorted(),
    )
  })

  test('but run, which has every flag of kube-proxy and none that is another verb’s own', () => {
    const ofVerbs = ['verb', 'nodes', 'leader', 'routes']
    const others = FLAGGED.filter(setting => !verbsOf(setting).includes('run') && !ofVerbs.includes(setting.group))
    expect(others.map(({ flag }) => flag)).toEqual([
      'pods-metrics-bind-address',
      'leaks',
      'leaks-period',
      'ranges-metrics-bind-address',
    ])
  })
})

async function readBy(verb: Verb, act: (parsed: Accepted) => Promise<unknown>): Promise<ReadonlySet<string>> {
  const seen = new Set<string>()
  for (const mode of MODES) {
    for (const local of LOCAL) {
      for (const file of [`--filename=${SEED}`, '']) {
        const words = [`--proxy-mode=${mode}`, file, local, NO_LEASES].filter(word => word !== '')
        for (const operands of OPERANDS[verb] ?? [[]]) {
          const parsed = await accepted({ verb, argv: [...words.filter(word => isOf(verb, word)), ...operands] })
          // What cannot be done on this host fails after all has been read.
          await act({ ...parsed, settings: noting(parsed.settings, seen) }).catch(() => {})
        }
      }
    }
  }
  return seen
}

function isOf(verb: Verb, word: string): boolean {
  return FLAGGED.some(setting => word.startsWith(`--${setting.flag}=`) && verbsOf(setting).includes(verb))
}

const RANGES = ['ranges', 'ranges.nodeMaskOf', 'ranges.plan', 'ranges.leader']
const SECTIONS = [
  'iptables',
  'ipvs',
  'userspace',
  'conntrack',
  'logging',
  'ipam',
  'ipam.plan',
  'cni',
  'leaks',
  'podRanges',
  'routes',
  'questions',
  ...RANGES,
]

/** The same settings; each that is looked at leaves its path. */
function noting<T extends object>(of: T, seen: Set<string>, prefix = ''): T {
  return new Proxy(of, {
    get: (target, name) => {
      const path = prefix + String(name)
      const value: unknown = Reflect.get(target, name)
      if (SECTIONS.includes(path)) return noting((value ?? {}) as object, seen, `${path}.`)
      seen.add(path)
      return value
    },
  })
}

function paths(look: (typeof REACHES)[string]['read']): ReadonlySet<string> {
  const seen = new Set<string>()
  look(noting({} as Settings, seen), {})
  return seen
}

function withLog<P>(parsed: P) {
  return { ...parsed, log: { ...terminalLog(), info: () => {}, warning: () => {} } }
}
