import { A_TO_B, A_TO_B_LINES, block, type IptablesCase, refusedAt } from './case.ts'

// Rules: where they go, how they are found again, and where their jumps may lead.

export const RULES: readonly IptablesCase[] = [
  {
    title: '-A appends, -I prepends, -I with a number puts it there',
    given: block('filter', ':A - [0:0]', '-A A -j RETURN'),
    run: block(
      'filter',
      '-A A -j DROP',
      '-I A -j ACCEPT',
      '-I A 2 -m comment --comment second',
      '-I A 5 -j REJECT -p tcp',
    ),
    verdict: 'done',
    leaves: [
      ...['filter :A', 'filter -A A -j ACCEPT', 'filter -A A -m comment --comment second', 'filter -A A -j RETURN'],
      ...['filter -A A -j DROP', 'filter -A A -p tcp -j REJECT --reject-with {port-unreachable}'],
    ],
  },
  {
    title: '-I beyond the end is refused',
    given: A_TO_B,
    run: block('filter', '-I A 3 -j DROP'),
    verdict: 'refused',
    says: refusedAt(2, 'Index of insertion too big'),
  },
  {
    title: '-A to a chain that is not there is refused',
    run: block('filter', '-A A -j DROP'),
    verdict: 'refused',
    says: refusedAt(2, 'No chain/target/match by that name'),
  },
  {
    title: '-A before the declaration is refused',
    run: block('filter', '-A A -j DROP', ':A - [0:0]'),
    verdict: 'refused',
    says: refusedAt(2, 'No chain/target/match by that name'),
  },
  {
    title: '-A to a chain that was just deleted is refused',
    run: block('filter', ':A - [0:0]', '-X A', '-A A -j DROP'),
    verdict: 'refused',
    says: refusedAt(4, 'No chain/target/match by that name'),
  },
  {
    title: '-A to a built-in chain that has no rules yet',
    run: block('nat', '-A OUTPUT -j ACCEPT'),
    verdict: 'done',
    leaves: ['nat -A OUTPUT -j ACCEPT'],
  },
  {
    title: 'a jump to a chain that is not there is refused',
    run: block('filter', ':A - [0:0]', '-A A -j B'),
    verdict: 'refused',
    says: {
      nft: /Chain 'B' does not exist\nError occurred at line: 4/,
      legacy: /Couldn't load target `B'.*\n\nError occurred at line: 3/,
    },
  },
  {
    title: 'a jump to a chain that is declared further down is refused',
    run: block('filter', ':A - [0:0]', '-A A -j B', ':B - [0:0]'),
    verdict: 'refused',
  },
  {
    title: 'a jump to a built-in chain is refused',
    run: block('filter', '-A FORWARD -j INPUT'),
    verdict: 'refused',
  },
  {
    title: 'chains that call each other in a circle are refused where packets come in',
    given: A_TO_B,
    run: block('filter', '-A INPUT -j A', '-A B -j A'),
    verdict: 'refused',
    says: { nft: /line 3: RULE_APPEND failed \(Too many links\): rule in chain B/, legacy: /line 4 failed/ },
  },
  {
    title: 'chains that call each other in a circle are fine where no packet comes',
    given: A_TO_B,
    run: block('filter', '-A B -j A'),
    verdict: 'done',
    leaves: [...A_TO_B_LINES, 'filter -A B -j A'],
  },
  {
    title: 'legacy does not look at what stands after an end without conditions',
    only: 'legacy',
    given: block('filter', ':A - [0:0]', '-A INPUT -j A', '-A A -j RETURN'),
    run: block('filter', '-A A -j A') + block('nat', '-A OUTPUT -j ACCEPT', '-A OUTPUT -j MASQUERADE'),
    verdict: 'done',
    leaves: [
      ...['filter :A', 'filter -A INPUT -j A', 'filter -A A -j RETURN', 'filter -A A -j A'],
      ...['nat -A OUTPUT -j ACCEPT', 'nat -A OUTPUT -j MASQUERADE'],
    ],
  },
  {
    title: 'nft lets chains call each other sixteen deep',
    only: 'nft',
    run: block('filter', ...ladder(15)),
    verdict: 'done',
    leaves: ladder(15)
      .map(line => `filter ${line.replace(/ - .*/, '')}`)
      .sort(builtinRulesFirst),
  },
  {
    title: 'nft does not let chains call each other seventeen deep',
    only: 'nft',
    run: block('filter', ...ladder(16)),
    verdict: 'refused',
    says: /Too many links/,
  },
  {
    title: '-D deletes the first rule like it',
    given: block('filter', ':A - [0:0]', '-A A -j DROP', '-A A -j ACCEPT', '-A A -j DROP'),
    run: block('filter', '-D A -j DROP'),
    verdict: 'done',
    leaves: ['filter :A', 'filter -A A -j ACCEPT', 'filter -A A -j DROP'],
  },
  {
    title: '-D by number',
    given: block('filter', ':A - [0:0]', '-A A -j DROP', '-A A -j ACCEPT'),
    run: block('filter', '-D A 2'),
    verdict: 'done',
    leaves: ['filter :A', 'filter -A A -j DROP'],
  },
  {
    title: '-D of a number that is not there is refused',
    given: A_TO_B,
    run: block('filter', '-D A 2'),
    verdict: 'refused',
    says: refusedAt(2, 'Index of deletion too big'),
  },
  {
    title: '-D of a rule that is not there is refused',
    given: A_TO_B,
    run: block('filter', '-D A -j RETURN'),
    verdict: 'refused',
    says: refusedAt(2, 'Bad rule \\(does a matching rule exist in that chain\\?\\)'),
  },
  {
    title: '-D knows a rule in other spelling',
    given: block('filter', ':A - [0:0]', '-A A -s {ip} -p tcp --dport 80 -m mark --mark 16384/0x4000 -j REJECT'),
    run: block(
      'filter',
      '-D A -p 6 -m tcp --destination-port 80 --source {host} -m mark --mark 0x4000/0x4000 -j REJECT',
    ),
    verdict: 'done',
    leaves: ['filter :A'],
  },
  {
    title: '-D does not know an IPv4 rule again whose recent mask was not written',
    family: 'ipv4',
    given: block('filter', ':A - [0:0]', '-A A -m recent --set --name K'),
    run: block('filter', '-D A -m recent --set --name K --mask 255.255.255.255 --rsource'),
    verdict: 'refused',
  },
  {
    title: '-D minds the order of matches',
    given: block('filter', ':A - [0:0]', '-A A -m mark --mark 0x1 -m comment --comment x'),
    run: block('filter', '-D A -m comment --comment x -m mark --mark 0x1'),
    verdict: 'refused',
  },
  {
    title: '-D frees the chain the rule jumped to',
    given: A_TO_B,
    run: block('filter', '-A A -j B', '-D A 1', '-D A -j B', '-X B'),
    verdict: 'done',
    leaves: ['filter :A'],
  },
  {
    title: '-R replaces an old rule, and frees the chain it jumped to',
    given: A_TO_B,
    run: block('filter', '-R A 1 -j DROP', '-X B'),
    verdict: 'done',
    leaves: ['filter :A', 'filter -A A -j DROP'],
  },
  {
    title: '-R of a number that is not there is refused',
    given: A_TO_B,
    run: block('filter', '-R A 2 -j DROP'),
    verdict: 'refused',
    says: refusedAt(2, 'Index of replacement too big'),
  },
  {
    title: 'nft dies of -R of a rule of the same document',
    only: 'nft',
    given: A_TO_B,
    run: block('filter', '-A A -j DROP', '-R A 2 -j ACCEPT'),
    verdict: 'refused',
  },
  {
    title: '-C finds a rule, and changes nothing',
    given: A_TO_B,
    run: block('filter', '-C A -j B', ':C - [0:0]'),
    verdict: 'done',
    leaves: [...A_TO_B_LINES.slice(0, 2), 'filter :C', 'filter -A A -j B'],
  },
  {
    title: '-C of a rule that is not there refuses the document',
    given: A_TO_B,
    run: block('filter', ':C - [0:0]', '-C A -j DROP'),
    verdict: 'refused',
    says: refusedAt(3, 'Bad rule'),
  },
  { title: 'a rule number of 0 is refused', given: A_TO_B, run: block('filter', '-D A 0'), verdict: 'refused' },
  {
    title: '-D with a number and a rule is refused',
    given: A_TO_B,
    run: block('filter', '-D A 1 -j B'),
    verdict: 'refused',
    says: /Illegal option `-j' with this command/,
  },
  { title: '-R without a number is refused', given: A_TO_B, run: block('filter', '-R A -j B'), verdict: 'refused' },
  { title: '-F with a rule is refused', given: A_TO_B, run: block('filter', '-F A -s {ip}'), verdict: 'refused' },
  { title: 'two commands in a line are refused', given: A_TO_B, run: block('filter', '-F A -X B'), verdict: 'refused' },
]

/** Chains that call each other, this many below INPUT. */
function ladder(depth: number): readonly string[] {
  const names = Array.from({ length: depth }, (_, i) => `C${String(i).padStart(2, '0')}`)
  const rules = names.slice(1).map((name, i) => `-A ${names[i]} -j ${name}`)
  return [...names.map(name => `:${name} - [0:0]`), `-A INPUT -j ${names[0]}`, ...rules]
}

function builtinRulesFirst(a: string, b: string): number {
  const rank = (line: string) => (line.includes(' :') ? 0 : line.includes(' -A INPUT') ? 1 : 2)
  return rank(a) - rank(b) || (a < b ? -1 : 1)
}
