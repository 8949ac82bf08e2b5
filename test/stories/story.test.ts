import { describe, expect, test } from 'vitest'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { failuresOf, type ModeOf } from './check.ts'
import { ANY_ADDRESS, NONE_WAITS } from './expectations.ts'
import { storyOf } from './story.ts'

// The parser and checker of stories: valid text is parsed, errors name their line, and expectations that fail are
// reported.

const MODE: ModeOf = family => iptables({ family, variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' })

const CART = `story: a cart
service shop/cart 10.96.0.10
  port 80
slice cart-1 of shop/cart
  port 8080
  10.244.1.5 on here
  10.244.2.5 on there
`

function failuresWith(expectations: string, before = CART): readonly string[] {
  return failuresOf(storyOf('cart.story', `${before}expect\n  ${expectations}\n`), MODE)
}

describe('a story', () => {
  test('is a title, flags and steps, each with the objects as they are then', () => {
    const story = storyOf(
      'cart.story',
      `${CART.replace('\n', '\nflags --masquerade-all --nodeport-addresses=primary\n')}
expect
  node -> 10.96.0.10:80 reaches 10.244.1.5:8080
when a pod goes
  remove endpoint 10.244.2.5 of cart-1
expect
  node -> 10.96.0.10:80 reaches 10.244.1.5:8080`,
    )
    expect(story.title).toBe('a cart')
    expect(story.flags).toMatchObject({ masqueradeAll: true, nodePortAddresses: 'primary', masqueradeBit: 14 })
    expect(story.steps.map(({ title, where }) => [title, where])).toEqual([
      ['at first', 'cart.story:10'],
      ['when a pod goes', 'cart.story:14'],
    ])
    expect(story.steps.map(({ events }) => events.length)).toEqual([3, 1])
    const slice = story.steps[1]!.objects.find(({ kind }) => kind === 'EndpointSlice')
    expect(slice).toMatchObject({ endpoints: [{ ip: '10.244.1.5', nodeName: 'here', ready: true }] })
  })

  test('parses packets that can be sent', () => {
    const [step] = storyOf('cart.story', `${CART}expect\n  outside -> 10.96.0.10:53/udp is dropped`).steps
    expect(step!.expectations[0]).toMatchObject({
      about: 'packet',
      packet: {
        source: 'outside',
        from: '10.99.0.1',
        to: '10.96.0.10',
        port: 53,
        protocol: 'udp',
        via: { iface: 'eth0' },
      },
      ends: [{ to: 'dropped' }],
    })
  })

  test('keeps what a changed Service does not mention', () => {
    const text = `${CART}change service shop/cart\n  externalIPs 198.18.0.1\nchange service shop/cart\n  sessionAffinity 60s\n`
    const [step] = storyOf('cart.story', `${text}expect\n  ${NONE_WAITS}`).steps
    expect(step!.objects.find(({ kind }) => kind === 'Service')).toMatchObject({
      clusterIPs: ['10.96.0.10'],
      externalIPs: ['198.18.0.1'],
      stickySeconds: 60,
      ports: [{ port: 80 }],
    })
  })
})

describe('what does not hold is said, with the line and the rules that were passed', () => {
  const POD = 'pod 10.244.1.7 -> 10.96.0.10:80'

  test('nothing is said of what holds', () =>
    expect(failuresWith(`${POD} reaches 10.244.1.5:8080 or 10.244.2.5:8080`)).toEqual([]))

  test.for([
    [`${POD} reaches 10.244.1.5:8080`, '50% 10.244.1.5:8080, 50% 10.244.2.5:8080'],
    [`${POD} reaches 10.244.1.5:8080 or 10.244.2.5:8080, masqueraded`, '50% 10.244.1.5:8080'],
    [`${POD} reaches 10.244.1.5:8080 masqueraded or 10.244.2.5:8080`, 'the oracle says: 50% 10.244.1.5:8080'],
    [`${POD} is rejected`, '-A KUBE-SEP-'],
    [`${POD} never reaches 10.244.2.5:8080`, 'it reaches 10.244.2.5:8080'],
    ['rule nat -A KUBE-SERVICES * -j DROP', 'there is no such rule'],
    ['no rule nat *10.244.2.5*', 'there is: nat -A KUBE-SVC-'],
    ['rule ipv6 nat *10.244.2.5*', 'there is no such rule'],
    [
      `forgets udp to 10.96.0.10:53 answered by ${ANY_ADDRESS}`,
      'it forgets tcp to 10.96.0.10:80 unless answered by 10.244.1.5:8080 or 10.244.2.5:8080',
    ],
    ['shop/cart waits for tcp 198.18.0.1 80, which shop/other has', NONE_WAITS],
  ] as const)('%s', ([line, said]) => {
    const failures = failuresWith(line)
    expect(failures.length).toBeGreaterThan(0)
    expect(failures.join('\n')).toContain(said)
    expect(failures[0]).toMatch(/^cart\.story:9: at first: expected "/)
  })

  test('rules that a restart would not write are a failure', () => {
    const { base, service, ...rest } = MODE('ipv4')
    let calls = 0
    const forgetful: ModeOf = () => ({
      ...rest,
      base,
      service: (traffic, node) => (calls++ === 0 ? [] : service(traffic, node)),
    })
    const failures = failuresOf(storyOf('cart.story', `${CART}expect\n  ${NONE_WAITS}`), forgetful)
    expect(failures.join('\n')).toContain('cart.story:8: at first: ipv4 "nat KUBE-SVC-')
    expect(failures.join('\n')).toContain('is not what a restart would write')
  })
})

describe('what cannot be understood is said with its line', () => {
  test.for<readonly [string, string]>([
    ['service shop/cart 10.96.0.10', 'cart.story:1: a story starts with'],
    ['story: x', 'cart.story:1: the story expects nothing'],
    ['story: x\nexpect', 'cart.story:2: nothing stands beneath this expect'],
    ['story: x\nservce shop/cart', 'cart.story:2: "servce" is not what a line may start with'],
    ['story: x\nservice shop/cart 10.96.0.010\n  port 80', 'cart.story:2: "10.96.0.010" is not an IP address'],
    ['story: x\nservice shop/cart 10.96.0.10', 'cart.story:2: service shop/cart has no port line'],
    ['story: x\nservice shop/cart 10.96.0.10\n  port 80/icmp', 'cart.story:3: "80/icmp" is not a port like'],
    ['story: x\nservice shop/cart 10.96.0.10\n  port 70000', 'cart.story:3: "70000" is not a port from 1 to 65535'],
    [
      'story: x\nservice shop/cart 10.96.0.10\n  externalIps 198.18.0.1',
      'cart.story:3: "externalIps" is not a field of a Service',
    ],
    ['story: x\nservice shop/cart 10.96.0.10\n    port 80\n  port 81', 'cart.story:4: stands between two depths'],
    ['story: x\nslice s of shop/cart\n  10.244.1.5 on here, leaving', 'cart.story:3: "leaving" is not a zone, a hint'],
    ['story: x\nslice s of shop/cart\n  10.244.1.5\n  fd00::1', 'cart.story:2: fd00::1 is not ipv4'],
    ['story: x\nremove endpoint 10.244.1.5 of s', 'cart.story:2: "s" is not the name of one slice'],
    [
      'story: x\nchange service shop/cart\n  port 80',
      'cart.story:2: "service shop/cart" is not a service of this story',
    ],
    ['story: x\nnode near zone a', 'cart.story:2: "near zone a" is not one of'],
    ['story: x\nnode in zone a\nflags --masquerade-all', 'cart.story:3: flags come first'],
    ['story: x\nflags --masquerade-none', 'cart.story:2: "--masquerade-none" is not a flag of'],
    ['story: x\nexpect\n  outside -> 10.96.0.10 is dropped', 'cart.story:3: "10.96.0.10" is not an address and port'],
    ['story: x\nexpect\n  pod -> 10.96.0.10:80 is dropped', 'cart.story:3: which pod?'],
    ['story: x\nexpect\n  outside -> 10.96.0.10:80 is lost', 'cart.story:3: "is lost" is not an end'],
    [
      'story: x\nexpect\n  outside fd00::1 -> 10.96.0.10:80 is dropped',
      'cart.story:3: fd00::1 and 10.96.0.10 are of two families',
    ],
    ['story: x\nexpect\n  rule KUBE-SERVICES', 'cart.story:3: "KUBE-SERVICES" is not a rule like'],
    [`story: x\nexpect\n  ${NONE_WAITS}\nnode in zone a`, 'cart.story:4: the story ends without expecting anything'],
    ['story: x\nyaml\n  kind: [', 'cart.story:2:'],
  ])('%s', ([text, said]) => expect(() => storyOf('cart.story', text)).toThrow(said))
})
