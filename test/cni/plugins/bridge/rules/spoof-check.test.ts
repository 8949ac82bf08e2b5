import { beforeEach, describe, expect, test } from 'vitest'
import { spoofCheck } from '#cni/plugins/bridge/rules/spoof-check.ts'
import { RuleKernel } from '../../rules/rule-kernel.ts'
import { HOLDER } from './masquerades.ts'

const POD = { port: 'veth1', mac: '0a:00:00:00:00:01' }
const OTHER = { port: 'veth11', mac: '0a:00:00:00:00:02' }
const SECOND = { ...HOLDER, container: 'c2' }

let kernel: RuleKernel
let check: ReturnType<typeof spoofCheck>
beforeEach(() => {
  kernel = new RuleKernel()
  check = spoofCheck(kernel)
})

const elements = () =>
  kernel.nft
    .dump()
    .filter(line => line.startsWith('element'))
    .map(line => line.replace(/^element bridge switchyard_spoofcheck | ".*$/g, ''))
const script = (...lines: readonly string[]) =>
  kernel.nft.run({ does: 'write', argv: ['nft', '-f', '-'], input: lines.join('\n') })

describe('a pod whose sender is checked', () => {
  test('has its port and its hardware address, each of which is looked for, and goes without a trace', async () => {
    await check.add(HOLDER, POD)
    await check.add(SECOND, OTHER)
    expect(elements()).toEqual([
      'ports veth1',
      'ports veth11',
      'senders veth1 . 0a:00:00:00:00:01',
      'senders veth11 . 0a:00:00:00:00:02',
    ])
    expect(await check.isThere(HOLDER, POD)).toBe(true)
    for (const changed of [
      { ...POD, mac: OTHER.mac },
      { ...POD, port: 'veth2' },
    ]) {
      expect(await check.isThere(HOLDER, changed)).toBe(false)
    }
    expect(await check.isThere(SECOND, POD)).toBe(false)
    await check.remove(HOLDER)
    await check.remove(HOLDER)
    expect(elements()).toEqual(['ports veth11', 'senders veth11 . 0a:00:00:00:00:02'])
  })

  test('may be added again', async () => {
    await check.add(HOLDER, POD)
    const before = kernel.dump()
    await check.add(HOLDER, POD)
    expect(kernel.dump()).toEqual(before)
  })

  test('has nothing after a flush, nor where the chain alone is gone', async () => {
    await check.add(HOLDER, POD)
    script('delete chain bridge switchyard_spoofcheck prerouting')
    expect(await check.isThere(HOLDER, POD)).toBe(false)
    kernel.flush()
    expect(await check.isThere(HOLDER, POD)).toBe(false)
  })
})

test('a GC leaves what is valid, and what is of another network', async () => {
  const foreign = { ...HOLDER, network: 'my' }
  await check.add(HOLDER, POD)
  await check.add(SECOND, OTHER)
  await check.add(foreign, { ...OTHER, port: 'veth3' })
  await check.keepOnly('mynet', [SECOND])
  expect(elements().map(line => line.split(' ').slice(0, 2).join(' '))).toEqual([
    'ports veth11',
    'ports veth3',
    'senders veth11',
    'senders veth3',
  ])
})

describe('chains of the reference plugin', () => {
  const [chain, own] = ['cni-br-iface-c1-eth0', 'cni-br-iface-c1-eth0-mac']
  const made = (container: string) => {
    const [entry, mac] = [chain.replace('c1', container), own.replace('c1', container)]
    script(
      'add table bridge nat',
      'add chain bridge nat PREROUTING',
      `add chain bridge nat ${mac}`,
      `add chain bridge nat ${entry}`,
      `add rule bridge nat ${entry} jump ${mac}`,
      `add rule bridge nat PREROUTING iifname veth1 jump ${entry} comment "macspoofchk-${container}-eth0"`,
    )
  }

  test('count, and go with their pod, of which a name that begins alike is none', async () => {
    made('c1')
    made('c11')
    expect(await check.isThere(HOLDER, POD)).toBe(true)
    await check.remove(HOLDER)
    expect(await check.isThere(HOLDER, POD)).toBe(false)
    expect(kernel.dump().filter(line => line.startsWith('chain'))).toEqual([
      'chain bridge nat PREROUTING',
      'chain bridge nat cni-br-iface-c11-eth0-mac',
      'chain bridge nat cni-br-iface-c11-eth0',
    ])
  })

  test('that were left half way go, too', async () => {
    script('add table bridge nat', `add chain bridge nat ${own}`)
    await check.remove(HOLDER)
    expect(kernel.dump()).toEqual(['table bridge nat'])
  })
})

test('without nft nothing is there, and there is nothing to remove; an add fails', async () => {
  kernel.absent.add('nft')
  await check.remove(HOLDER)
  await check.keepOnly('mynet', [])
  expect(await check.isThere(HOLDER, POD)).toBe(false)
  await expect(check.add(HOLDER, POD)).rejects.toThrow('nft')
})

test('a ruleset that cannot be listed is no empty one', async () => {
  await check.add(HOLDER, POD)
  kernel.fate = () => ({ code: 1, stdout: '', stderr: 'busy' })
  await expect(check.remove(HOLDER)).rejects.toThrow('busy')
  await expect(check.isThere(HOLDER, POD)).rejects.toThrow('busy')
})
