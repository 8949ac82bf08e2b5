import { describe, expect, test } from 'vitest'
import { problems } from './parsing.ts'

// What is wrong with the settings of the controller of node ranges: each with its flag, its value and what would be right.

const RANGE = '--cluster-cidr=10.244.0.0/16'
const wrong = (...argv: readonly string[]) => problems({ verb: 'ranges', argv: ['controller', RANGE, ...argv] })

test('the defaults of kube-controller-manager are right', async () => {
  expect(await wrong()).toEqual([])
})

test.each([
  [
    '--allocate-node-cidrs=false',
    '--allocate-node-cidrs: invalid value false: the controller does nothing else; must be true, or left out',
  ],
  ['--node-cidr-cooldown=-1ms', '--node-cidr-cooldown: invalid value "-1ms": must be greater than or equal to 0'],
  ['--max-pods=0', '--max-pods: invalid value 0: must be greater than 0'],
  [
    '--service-node-port-range=',
    '--service-node-port-range: invalid value "": must be a range of ports, such as 30000-32767',
  ],
  [
    '--service-node-port-range=32767-30000',
    '--service-node-port-range: invalid value "32767-30000": must be a range of ports, such as 30000-32767',
  ],
  [
    '--leader-elect-resource-lock=configmaps',
    '--leader-elect-resource-lock: invalid value "configmaps": must be leases',
  ],
  [
    '--leader-elect-resource-name=Ranges',
    '--leader-elect-resource-name: invalid value "Ranges": must be the name of a Lease, such as switchyard-ranges',
  ],
  [
    '--leader-elect-resource-name=',
    '--leader-elect-resource-name: invalid value "": must be the name of a Lease, such as switchyard-ranges',
  ],
  [
    '--leader-elect-resource-namespace=a.b',
    '--leader-elect-resource-namespace: invalid value "a.b": must be the name of a namespace, such as kube-system',
  ],
])('%s is refused', async (flag, line) => {
  expect(await wrong(flag)).toEqual([line])
})

test.each([
  '--node-cidr-cooldown=0',
  '--service-node-port-range=30000-30000',
  '--leader-elect-resource-name=a.b-c.0',
  `--leader-elect-resource-name=${'a'.repeat(63)}.${'b'.repeat(63)}`,
])('%s is right', async flag => {
  expect(await wrong(flag)).toEqual([])
})

test('a name of a Lease has 253 letters at most', async () => {
  const label = 'a'.repeat(63)
  const longest = [label, label, label, 'a'.repeat(61)].join('.')
  expect(await wrong(`--leader-elect-resource-name=${longest}`)).toEqual([])
  expect(await wrong(`--leader-elect-resource-name=${longest}a`)).toHaveLength(1)
})

describe('the times of an election', () => {
  const LEASE = '--leader-elect-lease-duration'
  const RENEW = '--leader-elect-renew-deadline'
  const RETRY = '--leader-elect-retry-period'

  test.each([
    [[`${LEASE}=10s`], [`${RENEW}: invalid value "10s": must be less than ${LEASE}, 10s`]],
    [[`${RENEW}=2s`], [`${RETRY}: invalid value "2s": must be less than ${RENEW}, 2s`]],
    [[`${LEASE}=999ms`, `${RENEW}=500ms`, `${RETRY}=1ms`], [`${LEASE}: invalid value "999ms": must be at least 1s`]],
    // Beside a time that is none, the others cannot be judged.
    [
      [`${LEASE}=0`, `${RETRY}=-1s`],
      [`${LEASE}: invalid value "0s": must be greater than 0`, `${RETRY}: invalid value "-1s": must be greater than 0`],
    ],
    [[`${LEASE}=1s`, `${RENEW}=900ms`, `${RETRY}=100ms`], []],
  ])('%j', async (argv, lines) => {
    expect(await wrong(...argv)).toEqual(lines)
  })
})
