import { destroySet, destroySets, LIST_SET_NAMES, restoreSets, SAVE_SETS, savedSets } from '#dialects/ipset.ts'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { ToolCase, ToolUnderContract } from './case.ts'
import { SET_MEMBERS } from './set-members.ts'
import { EXPIRING, IPS, IPS6, OTHERS, PORTS, SERVICES } from './sets.ts'

// ipset: sets of addresses and ports that rules look up.

const LOOKED_UP = [':F - [0:0]', '-A F -m set --match-set A dst -j DROP']

const SETS: readonly ToolCase[] = [
  { title: 'a set is made as its words say', run: [SERVICES, PORTS], verdict: 'done', leaves: [PORTS, SERVICES] },
  { title: 'a set that is there as wanted is none the worse', given: [IPS], run: [IPS], verdict: 'done' },
  {
    title: 'a set of another size is in the way',
    given: [SERVICES],
    run: ['create S hash:ip,port family inet maxelem 65536'],
    verdict: 'refused',
    says: /line 1: Set cannot be created: set with the same name already exists/,
  },
  {
    title: 'a set of another type is in the way, and stops the lines behind it',
    given: [IPS],
    run: ['create A hash:ip,port family inet', OTHERS],
    verdict: 'refused',
    says: /line 1: Set cannot be created/,
  },
  {
    title: 'a set whose members can expire is another',
    given: [IPS],
    run: [EXPIRING],
    verdict: 'refused',
    says: /Set cannot be created/,
  },
  { title: 'the family of a set that is there is not looked at', given: [IPS], run: [IPS6], verdict: 'done' },
  {
    title: 'a name has 31 characters at the most',
    run: [`create ${'N'.repeat(32)} hash:ip family inet`],
    verdict: 'refused',
    says: /is longer than 31 characters/,
  },
  { title: 'a type must be known', run: ['create A hash:word'], verdict: 'refused', says: /'hash:word' is unknown/ },
  { title: 'names are listed', given: [IPS, PORTS], run: LIST_SET_NAMES, verdict: 'done', prints: 'A\nP\n' },
  {
    title: 'sets of one type and family are swapped with their members',
    given: [IPS, OTHERS, 'add A 10.0.0.1'],
    run: ['swap A B'],
    verdict: 'done',
    leaves: ['add B 10.0.0.1', IPS, OTHERS],
  },
  {
    title: 'sets of different types are not swapped',
    given: [IPS, SERVICES],
    run: ['swap A S'],
    verdict: 'refused',
    says: /their type does not match/,
  },
  {
    title: 'sets of different families are not swapped',
    given: [IPS6, OTHERS],
    run: ['swap A B'],
    verdict: 'refused',
    says: /their type does not match/,
  },
  {
    title: 'a set needs another to be swapped with',
    given: [IPS],
    run: ['swap A B'],
    verdict: 'refused',
    says: /second/,
  },
  {
    title: 'a set is destroyed with its members',
    given: [IPS, 'add A 10.0.0.1'],
    run: ['destroy A'],
    verdict: 'done',
    leaves: [],
  },
  { title: 'a set that is not there is as good as destroyed', run: ['destroy A'], verdict: 'done' },
  {
    title: 'a set that is not there is not destroyed alone',
    run: destroySet('A'),
    verdict: 'refused',
    says: /does not exist/,
  },
  {
    title: 'of sets that are destroyed together, those behind one that is not there stay',
    given: [IPS, OTHERS, PORTS],
    run: destroySets(['A', 'C', 'B']),
    verdict: 'refused',
    says: /line 2: The set with the given name does not exist/,
    leaves: [OTHERS, PORTS],
  },
]

const RULES: readonly ToolCase[] = [
  {
    title: 'a set that a rule looks up is not destroyed',
    given: [IPS, OTHERS],
    rules: LOOKED_UP,
    run: ['destroy A', 'destroy B'],
    verdict: 'refused',
    says: /line 1: Set cannot be destroyed: it is in use by a kernel component/,
  },
  {
    title: 'a set that a rule looks up is swapped, and the other one is then free to go',
    given: [IPS],
    rules: LOOKED_UP,
    run: [OTHERS, 'add B 10.0.0.1', 'swap B A', 'destroy B'],
    verdict: 'done',
    leaves: ['add A 10.0.0.1', IPS],
  },
  {
    title: 'a rule looks up a set that is there',
    run: anyCommand(['iptables', '-A', 'OUTPUT', '-m', 'set', '--match-set', 'A', 'dst']),
    verdict: 'refused',
    says: /Set A doesn't exist/,
  },
  {
    title: 'a rule looks up a set of its family',
    given: [IPS],
    run: anyCommand(['ip6tables', '-A', 'OUTPUT', '-m', 'set', '--match-set', 'A', 'dst']),
    verdict: 'refused',
    says: /The protocol family of set A is/,
  },
  {
    title: 'a rule of any family looks up a bitmap of ports',
    given: [PORTS],
    run: anyCommand(['ip6tables', '-A', 'OUTPUT', '-p', 'tcp', '-m', 'set', '--match-set', 'P', 'dst']),
    verdict: 'done',
  },
]

export const IPSET: ToolUnderContract = {
  name: 'ipset',
  restore: restoreSets,
  contents: savedLines,
  cases: [...SETS, ...SET_MEMBERS, ...RULES],
}

async function savedLines(kernel: Kernel): Promise<readonly string[]> {
  const { stdout } = await must(kernel, SAVE_SETS)
  const sets = [...savedSets(stdout, () => true)]
  return sets
    .flatMap(([name, { spec, members }]) => [
      `create ${name} ${spec}`,
      ...members.map(({ entry, expires }) => `add ${name} ${entry}${expires ? ' expires' : ''}`),
    ])
    .sort()
}
