// What nft promises of the scripts that we write, each as a script that stands and one that is run then.

export interface NftCase {
  readonly title: string
  readonly given?: string
  readonly run: string
  /** What a refusal says; absent where the script is done. */
  readonly refused?: RegExp
  /** The lines of `wordsOf` afterwards; absent where nothing has changed. */
  readonly leaves?: readonly string[]
}

const TABLE = 'add table ip t'
const CHAINS = `${TABLE}
add chain ip t services
add chain ip t rejects
add rule ip t services ip daddr 10.0.0.1 goto rejects
add rule ip t rejects reject`
const SETS = `${TABLE}
add set ip t ips { type ipv4_addr ; }
add map ip t verdicts { type ipv4_addr . inet_proto . inet_service : verdict ; }
add map ip t pods { typeof ip daddr . tcp dport . numgen random mod 2 : ip daddr . tcp dport ; }
add chain ip t rejects`

export const NFT_CASES: readonly NftCase[] = [
  { title: 'a table is added once, and again without effect', run: `${TABLE}\n${TABLE}`, leaves: ['table'] },
  { title: 'a table that stands is not created', given: TABLE, run: 'create table ip t', refused: /File exists/ },
  { title: 'a table that is not there is not deleted', run: 'delete table ip t', refused: /No such file/ },
  { title: 'a table goes with all that is in it', given: CHAINS, run: 'delete table ip t', leaves: [] },
  {
    title: 'of a script that fails nothing is left',
    given: TABLE,
    run: 'add chain ip t a\nadd chain ip t b\ndelete chain ip t c',
    refused: /No such file/,
  },
  { title: 'a chain needs its table', run: 'add chain ip t a', refused: /No such file/ },
  {
    title: 'a base chain has its hook, which cannot be changed',
    given: `${TABLE}\nadd chain ip t out { type nat hook output priority -100 ; policy accept ; }`,
    run: 'add chain ip t out { type filter hook output priority 5 ; policy accept ; }',
    refused: /Operation not supported/,
  },
  {
    title: 'a base chain is added again with its own hook, and keeps its rules',
    given: `${TABLE}\nadd chain ip t out { type nat hook output priority -100 ; policy accept ; }\nadd rule ip t out accept`,
    run: 'add chain ip t out { type nat hook output priority -100 ; policy accept ; }',
    leaves: ['table', 'chain out: type nat hook output priority -100 ; policy accept | accept'],
  },
  {
    title: 'rules are added behind those that stand',
    given: CHAINS,
    run: 'add rule ip t rejects drop comment "a word, or two"',
    leaves: [
      'table',
      'chain rejects: reject | drop comment "a word, or two"',
      'chain services: ip daddr 10.0.0.1 goto rejects',
    ],
  },
  { title: 'a rule needs its chain', given: TABLE, run: 'add rule ip t a drop', refused: /No such file/ },
  {
    title: 'a rule leads to a chain that is there',
    given: CHAINS,
    run: 'add rule ip t services jump b',
    refused: /No such/,
  },
  {
    title: 'a rule looks into a set that is there',
    given: CHAINS,
    run: 'add rule ip t services ip daddr @ips drop',
    refused: /No such file/,
  },
  { title: 'a chain that rules lead to stays', given: CHAINS, run: 'delete chain ip t rejects', refused: /busy/ },
  {
    title: 'a chain goes with the last rule that leads to it',
    given: CHAINS,
    run: 'flush chain ip t services\nflush chain ip t rejects\ndelete chain ip t rejects',
    leaves: ['table', 'chain services:'],
  },
  {
    title: 'a chain goes with its own rules',
    given: CHAINS,
    run: 'delete chain ip t services',
    leaves: ['table', 'chain rejects: reject'],
  },
  {
    title: 'a chain that is not there is not emptied',
    given: TABLE,
    run: 'flush chain ip t a',
    refused: /No such file/,
  },
  {
    title: 'an element is added once, and again without effect',
    given: SETS,
    run: 'add element ip t ips { 10.0.0.2 , 10.0.0.1 }\nadd element ip t ips { 10.0.0.1 }',
    leaves: [
      ...['table', 'chain rejects:', 'map pods: ipv4_addr . inet_service . integer : ipv4_addr . inet_service'],
      ...['map verdicts: ipv4_addr . inet_proto . inet_service : verdict'],
      ...['set ips: 10.0.0.1', 'set ips: 10.0.0.2', 'set ips: ipv4_addr'],
    ],
  },
  {
    title: 'elements of a map have comments and lead to chains or to addresses',
    given: SETS,
    run: `add element ip t verdicts { 10.0.0.1 . tcp . 80 comment "shop/cart:http" : goto rejects , 10.0.0.1 . udp . 53 : drop }
add element ip t pods { 10.0.0.1 . 80 . 0 : 10.244.0.2 . 8080 }`,
    leaves: [
      ...['table', 'chain rejects:', 'map pods: 10.0.0.1 . 80 . 0 : 10.244.0.2 . 8080'],
      ...['map pods: ipv4_addr . inet_service . integer : ipv4_addr . inet_service'],
      ...['map verdicts: 10.0.0.1 . tcp . 80 comment "shop/cart:http" : goto rejects'],
      ...['map verdicts: 10.0.0.1 . udp . 53 : drop'],
      ...['map verdicts: ipv4_addr . inet_proto . inet_service : verdict', 'set ips: ipv4_addr'],
    ],
  },
  {
    title: 'a key leads to one thing',
    given: `${SETS}\nadd element ip t pods { 10.0.0.1 . 80 . 0 : 10.244.0.2 . 8080 }`,
    run: 'add element ip t pods { 10.0.0.1 . 80 . 0 : 10.244.0.3 . 8080 }',
    refused: /File exists/,
  },
  {
    title: 'an element is changed by a script that deletes and adds it',
    given: `${TABLE}\nadd map ip t pods { typeof tcp dport : ip daddr ; }\nadd element ip t pods { 80 : 10.0.0.1 }`,
    run: 'delete element ip t pods { 80 }\nadd element ip t pods { 80 : 10.0.0.2 }',
    leaves: ['table', 'map pods: 80 : 10.0.0.2', 'map pods: inet_service : ipv4_addr'],
  },
  {
    title: 'an element that is not there is not deleted',
    given: SETS,
    run: 'delete element ip t ips { 10.0.0.1 }',
    refused: /No such file/,
  },
  {
    title: 'an element leads to a chain that is there',
    given: SETS,
    run: 'add element ip t verdicts { 10.0.0.1 . tcp . 80 : goto nowhere }',
    refused: /No such file/,
  },
  {
    title: 'a chain that an element leads to stays',
    given: `${SETS}\nadd element ip t verdicts { 10.0.0.1 . tcp . 80 : goto rejects }`,
    run: 'delete chain ip t rejects',
    refused: /busy/,
  },
  {
    title: 'a chain goes with the last element that leads to it',
    given: `${SETS}\nadd element ip t verdicts { 10.0.0.1 . tcp . 80 : goto rejects }`,
    run: 'delete element ip t verdicts { 10.0.0.1 . tcp . 80 }\ndelete chain ip t rejects',
    leaves: [
      ...['table', 'map pods: ipv4_addr . inet_service . integer : ipv4_addr . inet_service'],
      ...['map verdicts: ipv4_addr . inet_proto . inet_service : verdict', 'set ips: ipv4_addr'],
    ],
  },
  {
    title: 'a set that rules look into stays',
    given: `${SETS}\nadd rule ip t rejects ip daddr @ips drop`,
    run: 'delete set ip t ips',
    refused: /busy/,
  },
  {
    title: 'a set is not declared otherwise',
    given: SETS,
    run: 'add map ip t ips { type ipv4_addr : verdict ; }',
    refused: /exists/,
  },
  {
    title: 'an address of another family is none',
    given: SETS,
    run: 'add element ip t ips { fd00::1 }',
    refused: /family/,
  },
  { title: 'what is no word of nft is refused', given: TABLE, run: 'add rule ip t', refused: /Error: syntax error/ },
]
