import { block, type IptablesCase } from './case.ts'

// Rules that may stand in some places only.

export const PLACES: readonly IptablesCase[] = [
  {
    title: 'DNAT stands in nat only',
    run: block('filter', ':A - [0:0]', '-A A -p tcp -j DNAT --to-destination {ip:80}'),
    verdict: 'refused',
    says: { nft: /line 3: RULE_APPEND failed \(Invalid argument\): rule in chain A/, legacy: /line 4 failed/ },
  },
  { title: 'MASQUERADE stands in nat only', run: block('filter', '-A INPUT -j MASQUERADE'), verdict: 'refused' },
  { title: 'REJECT stands in filter only', run: block('nat', ':A - [0:0]', '-A A -j REJECT'), verdict: 'refused' },
  {
    title: 'DROP is not for nat',
    run: block('nat', ':A - [0:0]', '-A A -j DROP'),
    verdict: 'refused',
    says: /not intended for filtering/,
  },
  {
    title: 'DNAT in PREROUTING and OUTPUT, MASQUERADE in POSTROUTING',
    run: block(
      'nat',
      ':A - [0:0]',
      '-A A -p tcp -j DNAT --to-destination {ip:80}',
      '-A PREROUTING -j A',
      '-A OUTPUT -j A',
      '-A POSTROUTING -j MASQUERADE --random-fully',
    ),
    verdict: 'done',
    leaves: [
      ...['nat :A', 'nat -A PREROUTING -j A', 'nat -A OUTPUT -j A', 'nat -A POSTROUTING -j MASQUERADE --random-fully'],
      'nat -A A -p tcp -j DNAT --to-destination {ip:80}',
    ],
  },
  {
    title: 'DNAT may not be reached from POSTROUTING, however far the way',
    run: block(
      'nat',
      ...[
        ':A - [0:0]',
        ':B - [0:0]',
        '-A A -p tcp -j DNAT --to-destination {ip:80}',
        '-A B -j A',
        '-A POSTROUTING -j B',
      ],
    ),
    verdict: 'refused',
    says: {
      nft: /line 6: RULE_APPEND failed \(Invalid argument\): rule in chain POSTROUTING/,
      legacy: /line 7 failed/,
    },
  },
  {
    title: 'MASQUERADE may not be reached from OUTPUT, and all lines from there on are named',
    run: block('nat', ':A - [0:0]', '-A OUTPUT -j A', '-A A -j MASQUERADE', '-A A -j RETURN'),
    verdict: 'refused',
    says: { nft: /line 4: RULE_APPEND.* chain A\nline 5: RULE_APPEND.* chain A\n/, legacy: /line 6 failed/ },
  },
  {
    title: 'a MASQUERADE that is gone at the commit was never there, for legacy',
    only: 'legacy',
    run: block('filter', ':A - [0:0]', '-A A -j MASQUERADE', '-F A'),
    verdict: 'done',
    leaves: ['filter :A'],
  },
  {
    title: 'nft does not even send a MASQUERADE that -F with its chain takes back',
    only: 'nft',
    run: block('filter', ':A - [0:0]', '-A A -j MASQUERADE', '-A A -j RETURN', '-F A'),
    verdict: 'done',
    leaves: ['filter :A'],
  },
  {
    title: 'nft sends a MASQUERADE whose chain is declared again',
    only: 'nft',
    run: block('filter', ':A - [0:0]', '-A A -j MASQUERADE', ':A - [0:0]'),
    verdict: 'refused',
    says: /line 3: RULE_APPEND failed/,
  },
  { title: 'no -o in INPUT', run: block('filter', '-A INPUT -o eth0 -j DROP'), verdict: 'refused' },
  { title: 'no -i in OUTPUT', run: block('filter', '-A OUTPUT -i eth0 -j DROP'), verdict: 'refused' },
]
