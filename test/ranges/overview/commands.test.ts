import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { auditAnswer } from '#ranges/overview/commands.ts'
import { type FactsInWords, facts, ip, service } from '../../ipam/overview/facts.ts'
import { ranges } from './cluster-on-http.ts'

const FILE = `--filename=${fileURLToPath(new URL('../../../fixtures/clusters/ranges.yaml', import.meta.url))}`

describe('an audit', () => {
  test('of a file says all that is wrong in it, and what to do', async () => {
    const { text, status } = await ranges('audit', FILE)
    expect(status).toBe(1)
    expect(text.split('\n').map(line => line.split(/ {3,}/).slice(0, 3).join(' '))).toEqual([
      'ERROR ClusterIPAlreadyAllocated shop/cart-copy',
      'ERROR ClusterIPOutOfRange shop/old',
      'ERROR ClusterIPNotAllocated kube-system/kube-dns',
      'ERROR IPAddressNotAllocated 10.104.9.9',
      'ERROR PortAlreadyAllocated shop/cart-copy',
      'ERROR PortOutOfRange shop/old',
      'NOTE ClusterIPInStaticBand default/kubernetes',
      'NOTE ClusterIPInStaticBand kube-system/kube-dns',
      '',
      expect.stringMatching(/^ClusterIPAlreadyAllocated: delete one of the two Services/),
      expect.stringMatching(/^ClusterIPOutOfRange: /),
      expect.stringMatching(/^ClusterIPNotAllocated: /),
      expect.stringMatching(/^IPAddressNotAllocated: /),
      expect.stringMatching(/^PortAlreadyAllocated: /),
      expect.stringMatching(/^PortOutOfRange: /),
      expect.stringMatching(/^ClusterIPInStaticBand: nothing/),
      '',
      '5 Services and 4 IPAddresses: 6 errors; nothing was changed, 2 notes.',
    ])
  })

  test('as JSON has findings with advice', async () => {
    const { findings, services } = JSON.parse((await ranges('audit', FILE, '--output=json')).text)
    expect(services).toBe(5)
    expect(findings.find(({ weight }: { weight: string }) => weight === 'error')).toMatchObject({
      reason: 'ClusterIPAlreadyAllocated',
      weight: 'error',
      advice: expect.any(String),
    })
  })

  test('with notes alone exits with 0', async () => {
    const words = { services: [service('kube-system/dns', ['10.96.0.10'])] }
    expect(await auditAnswer(async () => facts(words), 'text')).toMatchObject({ status: 0 })
  })

  test('passes over what is gone at the second look: it was in the making', async () => {
    const half: FactsInWords = { addresses: [{ address: ip('10.96.7.7'), service: 'shop/new' }] }
    const whole = { ...half, services: [service('shop/new', ['10.96.7.7'])] }
    const looks = [half, whole]
    expect((await auditAnswer(async () => facts(looks.shift()), 'text')).status).toBe(0)
    expect(looks).toEqual([])
    const stays = [half, half]
    expect((await auditAnswer(async () => facts(stays.shift()), 'text')).status).toBe(1)
  })
})

describe('the table', () => {
  test('of a file has its warnings', async () => {
    const { text, status } = await ranges('table', FILE)
    expect(status).toBe(0)
    expect(text.split('\n').filter(line => line.startsWith('Warning: '))).toEqual([
      'Warning: the range of Services 10.96.0.0/12 has addresses of nodes (worker-3 10.96.200.23): they are no longer reached from pods',
      'Warning: node worker-3 has no podCIDR: no pod starts there',
      'Warning: node worker-2 may have 300 pods and 253 IPv4 addresses (/24): the last pods get none',
    ])
  })

  test('says which flag names a file that cannot be read', async () => {
    await expect(ranges('table', '--filename=/nowhere')).rejects.toThrow(
      '--filename (-f): cannot read /nowhere: there is no such file',
    )
  })
})

describe('a plan', () => {
  const plan = (...argv: readonly string[]) => ranges('plan', ...argv)

  test('says what fits and what runs out first, to the letter', async () => {
    const { text, status } = await plan(
      ...['--cluster-cidr=10.244.0.0/16', '--service-cluster-ip-range=10.96.0.0/12', '--nodes=300'],
    )
    expect(text.split('\n')).toEqual([
      'WHAT             RANGE              FITS   WANTED   NOTE',
      'nodes            10.244.0.0/16       256      300   a /24 each',
      'pods of a node   /24                 253      110   138 at its busiest: a quarter more while they are rolled out',
      'pods             10.244.0.0/16     28160    33000   at most 110 on each node',
      'Services         10.96.0.0/12    1048574        -   the first 256 are the static band',
      'node ports       30000-32767        2768        -   the first 86 are the static band',
      '',
      'Runs out first: nodes (10.244.0.0/16): 256 fit, 300 are wanted.',
    ])
    expect(status).toBe(1)
  })

  test.each([
    [['--nodes=200'], 0, 'Closest to its end: nodes (10.244.0.0/16): 200 of 256, 78 %.'],
    [[], 0, 'Closest to its end: pods of a node (/24): 110 of 253, 43 %.'],
    [['--max-pods=254'], 1, 'Runs out first: pods of a node (/24): 253 fit, 254 are wanted.'],
    [['--node-cidr-mask-size=26'], 1, 'a node has 61 addresses for 110 pods'],
    [['--service-cluster-ip-range=10.244.128.0/17'], 0, '10.244.0.0/16 overlaps the range of Services 10.244.128.0/17'],
    [['--service-node-port-range=30000-30015'], 0, 'too small for a static band'],
  ])('%o', async (argv, status, line) => {
    const found = await plan('--cluster-cidr=10.244.0.0/16', ...argv)
    expect(found.text).toContain(line)
    expect(found.status).toBe(status)
  })

  test('has both families, and numbers for programs', async () => {
    const { text } = await plan('--cluster-cidr=10.244.0.0/16,fd00:244::/56', '--output=json')
    expect(JSON.parse(text).rows.map(({ what, fits }: { what: string; fits: unknown }) => `${what} ${fits}`)).toEqual([
      ...['nodes 256', 'pods of a node 253', 'pods 28160'],
      ...['nodes 256', 'pods of a node 18446744073709551614', 'pods 28160'],
      'node ports 2768',
    ])
  })

  test.each([
    [[], '--cluster-cidr: is missing'],
    [
      ['--cluster-cidr=10.244.0.0/16', '--node-cidr-mask-size=12'],
      '--node-cidr-mask-size: invalid value 12: must be from 16',
    ],
  ])('of %o is refused', async (argv, why) => {
    await expect(plan(...argv)).rejects.toThrow(why)
  })
})
