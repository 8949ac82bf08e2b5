import type { ToolCase } from './case.ts'
import { EXPIRING, IPS, OTHERS, PORTS, SERVICES } from './sets.ts'

// Members of sets: added, deleted, expiring, and refused by ipset or by the kernel.

export const SET_MEMBERS: readonly ToolCase[] = [
  {
    title: 'a member is added once, and again without effect',
    given: [SERVICES],
    run: ['add S 10.96.0.10,tcp:80', 'add S 10.96.0.10,udp:80', 'add S 10.96.0.10,sctp:80', 'add S 10.96.0.10,tcp:80'],
    verdict: 'done',
    leaves: ['add S 10.96.0.10,sctp:80', 'add S 10.96.0.10,tcp:80', 'add S 10.96.0.10,udp:80', SERVICES],
  },
  { title: 'a member that is not there is as good as deleted', given: [IPS], run: ['del A 10.0.0.1'], verdict: 'done' },
  {
    title: 'a member needs its set',
    run: ['add A 10.0.0.1'],
    verdict: 'refused',
    says: /line 1: The set .* does not exist/,
  },
  {
    title: 'a port is a member of a bitmap',
    given: [PORTS],
    run: ['add P 30080', 'add P 30081', 'del P 30080'],
    verdict: 'done',
    leaves: ['add P 30081', PORTS],
  },
  {
    title: 'a port has 16 bits',
    given: [PORTS],
    run: ['add P 70000'],
    verdict: 'refused',
    says: /out of range 0-65535/,
  },
  {
    title: 'a range is kept by its base, and a range of one address as that address',
    given: ['create R hash:ip,port,net family inet maxelem 65536'],
    run: ['add R 10.0.0.1,tcp:80,10.1.2.3/8', 'add R 10.0.0.1,tcp:80,10.0.0.1/32'],
    verdict: 'done',
    leaves: [
      ...['add R 10.0.0.1,tcp:80,10.0.0.0/8', 'add R 10.0.0.1,tcp:80,10.0.0.1'],
      'create R hash:ip,port,net family inet maxelem 65536',
    ],
  },
  {
    title: 'the range of all addresses is refused by the kernel: members before it stay, those behind it do not come',
    given: ['create R hash:ip,port,net family inet6 maxelem 65536'],
    run: ['add R fd00::1,tcp:80,fd00::/8', 'add R fd00::1,tcp:80,::/0', 'add R fd00::1,tcp:80,fc00::/8'],
    verdict: 'refused',
    says: /line 2: The value of the CIDR parameter of the IP address is invalid/,
    leaves: ['add R fd00::1,tcp:80,fd00::/8', 'create R hash:ip,port,net family inet6 maxelem 65536'],
  },
  {
    title: 'an address of another family cannot be read, and members on their way to the same set are lost',
    given: [IPS],
    run: ['add A 10.0.0.1', 'add A fd00::1', 'add A 10.0.0.2'],
    verdict: 'refused',
    says: /line 2: Syntax error: cannot parse fd00::1/,
  },
  {
    title: 'so are those on their way to another set',
    given: [IPS, OTHERS],
    run: ['add A 10.0.0.1', 'add B fd00::1'],
    verdict: 'refused',
    says: /line 2: Syntax error/,
  },
  {
    title: 'members have gone before a line that is none of theirs is carried out',
    given: [IPS],
    run: ['add A 10.0.0.1', 'destroy B', 'add A fd00::1'],
    verdict: 'refused',
    says: /line 3: Syntax error/,
    leaves: ['add A 10.0.0.1', IPS],
  },
  {
    title: 'a member has as many elements as its set',
    given: [SERVICES],
    run: ['add S 10.0.0.1'],
    verdict: 'refused',
    says: /Second element is missing/,
  },
  {
    title: 'a protocol must be known',
    given: [SERVICES],
    run: ['add S 10.0.0.1,word:80'],
    verdict: 'refused',
    says: /'word' as a protocol/,
  },
  {
    title: 'a set that is full takes no more',
    given: ['create A hash:ip family inet maxelem 1'],
    run: ['add A 10.0.0.1', 'add A 10.0.0.2'],
    verdict: 'refused',
    says: /line 2: Hash is full/,
    leaves: ['add A 10.0.0.1', 'create A hash:ip family inet maxelem 1'],
  },
  {
    title: 'a member expires where it is said, and stays where it is said again',
    given: [EXPIRING],
    run: [
      'add A 10.0.0.1 timeout 0',
      'add A 10.0.0.1 timeout 600',
      'add A 10.0.0.2 timeout 600',
      'add A 10.0.0.2 timeout 0',
    ],
    verdict: 'done',
    leaves: ['add A 10.0.0.1 expires', 'add A 10.0.0.2', EXPIRING],
  },
  {
    title: 'no member expires in a set that was not made for it',
    given: [IPS],
    run: ['add A 10.0.0.1', 'add A 10.0.0.2 timeout 600'],
    verdict: 'refused',
    says: /line 2: Timeout cannot be used/,
    leaves: ['add A 10.0.0.1', IPS],
  },
  {
    title: 'what is no word of ipset is refused',
    given: [IPS],
    run: ['add A 10.0.0.1', 'word A'],
    verdict: 'refused',
    says: /unknown argument word/,
  },
]
