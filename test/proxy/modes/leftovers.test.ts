import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ADD_IPVS_DEVICE, FIND_IPVS_DEVICE, ipBatch, serviceAddressLine } from '#dialects/ip.ts'
import { LIST_SET_NAMES, restoreSets } from '#dialects/ipset.ts'
import { restoreServers, SAVE_SERVERS } from '#dialects/ipvs.ts'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel, type PaperKernelOptions } from '#lab/paper/kernel.ts'
import { removeLeftovers } from '#proxy/modes/leftovers.ts'
import type { RemovalResult } from '#proxy/modes/leftovers-removal.ts'
import { must } from '#system/must.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import { ip } from '../../support/objects.ts'

// Leftovers of proxies in a paper kernel, and what remains after their removal.

const SVC = 'KUBE-SVC-3TNEVSQEVUCP4TQO'
const LOCKED = 'Another app is currently holding the xtables lock.'
const OK: Outcome = { code: 0, stdout: '', stderr: '' }

/** A paper kernel; a test gives the answers of all other tools. */
class Host implements Kernel {
  readonly paper: PaperKernel
  readonly commands: Command[] = []
  answers: (words: string, command: Command) => Outcome | undefined = () => undefined

  constructor(options: PaperKernelOptions = {}) {
    this.paper = new PaperKernel(options)
  }

  async run(command: Command): Promise<Outcome> {
    this.commands.push(command)
    return this.answers(command.argv.join(' '), command) ?? (await this.paper.run(command))
  }

  async restore(program: string, ...documents: readonly string[]): Promise<void> {
    for (const input of documents) {
      const argv = [`${program}-restore`, '--noflush'] as const
      expect(await this.paper.run(anyCommand(argv, { input }))).toMatchObject({ code: 0, stderr: '' })
    }
  }

  async removeLeftovers(): Promise<RemovalResult> {
    const clock = new PaperClock()
    let isDone = false
    const result = removeLeftovers({ kernel: this, clock }).finally(() => {
      isDone = true
    })
    while (!isDone) await clock.advance(50)
    return result
  }

  get proxys(): readonly string[] {
    return this.paper
      .dump()
      .split('\n')
      .filter(line => line.includes('KUBE-'))
  }
}

function saved(name: string): string {
  return readFileSync(new URL(`../../../fixtures/saves/${name}.save`, import.meta.url), 'utf8')
    .split('\n')
    .filter(line => !line.includes('localhost_nps_accepted_pkts'))
    .map(line => line.replace(/ -m nfacct --nfacct-name +\w+/, ''))
    .join('\n')
}

const nat = (...lines: readonly string[]): string => ['*nat', ...lines, 'COMMIT', ''].join('\n')
const filter = (...lines: readonly string[]): string => ['*filter', ...lines, 'COMMIT', ''].join('\n')
const FOREIGN = nat(':OTHERS - [0:0]', `-A OTHERS -j ${SVC}`)

describe.each(['iptables-nft', 'iptables-legacy'])('what %s has', tool => {
  test.each(['iptables-1.20-v4', 'iptables-1.36-v4', 'userspace-1.20'])('of %s goes', async name => {
    const host = new Host()
    await host.restore(tool, saved(name))
    expect(await host.removeLeftovers()).toMatchObject({
      removed: [
        { tool, what: 'jumps' },
        { tool, what: 'chains' },
      ],
      remains: [],
    })
    expect(host.proxys).toEqual([])
  })

  test("of kubelet's stays as it is", async () => {
    const host = new Host()
    await host.restore(tool, saved('kubelet'))
    const before = host.paper.dump()
    expect(await host.removeLeftovers()).toEqual({ removed: [], remains: [] })
    expect(host.paper.dump()).toBe(before)
  })

  test("of kubelet's today, which has nothing to do with marks, stays, and the proxy's marks go", async () => {
    const host = new Host()
    const hint = '*mangle\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n'
    await host.restore(tool, hint, filter(':KUBE-FIREWALL - [0:0]', '-A INPUT -j KUBE-FIREWALL'))
    const before = host.proxys
    await host.restore(tool, nat(':KUBE-MARK-MASQ - [0:0]', ':KUBE-POSTROUTING - [0:0]', ':KUBE-MARK-DROP - [0:0]'))
    expect((await host.removeLeftovers()).remains).toEqual([])
    expect(host.proxys).toEqual(before)
  })

  test('and a foreign rule jumps to stays, empty, and holds up nothing else', async () => {
    const host = new Host()
    await host.restore(tool, saved('iptables-1.20-v4'), FOREIGN)
    const { remains } = await host.removeLeftovers()
    expect(remains).toEqual([
      {
        what: `${tool}: chain ${SVC} in table nat, empty`,
        why: `a rule that is not ours leads there: -A OTHERS -j ${SVC}`,
      },
    ])
    expect(host.proxys.map(line => line.replace(/^.* nat /, ''))).toEqual([`:${SVC}`, `-A OTHERS -j ${SVC}`])
  })

  test('and whose foreign rule is deleted meanwhile goes', async () => {
    const host = new Host()
    await host.restore(tool, saved('iptables-1.20-v4'), FOREIGN)
    host.answers = (words, { input }) => {
      if (!words.startsWith(`${tool}-restore`) || !input!.includes('*nat')) return undefined
      void host.paper.run(anyCommand([tool, '-t', 'nat', '-F', 'OTHERS']))
      host.answers = () => undefined
      return undefined
    }
    expect((await host.removeLeftovers()).remains).toEqual([])
    expect(host.proxys).toEqual([])
  })

  test('goes after all when the lock was held at first', async () => {
    const host = new Host()
    await host.restore(tool, saved('iptables-1.36-v4'))
    let failures = 0
    host.answers = words =>
      words.startsWith(`${tool}-restore`) && ++failures <= 2 ? { ...OK, code: 4, stderr: `${LOCKED}\n` } : undefined
    expect((await host.removeLeftovers()).remains).toEqual([])
    expect(host.proxys).toEqual([])
  })

  test('and cannot be changed is reported with the reason of the tool', async () => {
    const host = new Host()
    await host.restore(tool, nat(':KUBE-SERVICES - [0:0]'))
    host.answers = words => (words.includes('-restore') ? { ...OK, code: 4, stderr: `${LOCKED}\n` } : undefined)
    expect((await host.removeLeftovers()).remains).toEqual([
      { what: `${tool}: chain KUBE-SERVICES in table nat, empty`, why: LOCKED },
    ])
  })
})

describe('chains that two may share', () => {
  test('a KUBE-MARK-DROP that a foreign rule uses is left as it is', async () => {
    const host = new Host()
    const drop = [':KUBE-MARK-DROP - [0:0]', '-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000']
    await host.restore('iptables-nft', nat(...drop, ':OTHERS - [0:0]', '-A OTHERS -j KUBE-MARK-DROP'))
    const before = host.paper.dump()
    expect(await host.removeLeftovers()).toEqual({ removed: [], remains: [] })
    expect(host.paper.dump()).toBe(before)
  })

  test('a KUBE-FIREWALL with a foreign rule is left, with the jumps to it', async () => {
    const host = new Host()
    const rules = ['-A INPUT -j KUBE-FIREWALL', '-A KUBE-FIREWALL -s 192.0.2.1/32 -j DROP']
    await host.restore('iptables-nft', filter(':KUBE-FIREWALL - [0:0]', ...rules))
    const before = host.paper.dump()
    expect(await host.removeLeftovers()).toEqual({ removed: [], remains: [] })
    expect(host.paper.dump()).toBe(before)
  })

  test('a jump that gives none of our reasons is not ours', async () => {
    const host = new Host()
    const jump = '-A PREROUTING -d 192.0.2.1/32 -j KUBE-SERVICES'
    await host.restore('iptables-nft', nat(':KUBE-SERVICES - [0:0]', jump))
    expect((await host.removeLeftovers()).remains).toEqual([
      {
        what: 'iptables-nft: chain KUBE-SERVICES in table nat, empty',
        why: `a rule that is not ours leads there: ${jump}`,
      },
    ])
    expect(host.proxys.some(line => line.endsWith(jump))).toBe(true)
  })
})

describe('the tools of a host', () => {
  test('are the plain ones where it has no others', async () => {
    const host = new Host()
    await host.restore('iptables', saved('iptables-1.36-v4'))
    const absent = (words: string): Outcome | undefined =>
      /^ip6?tables-(nft|legacy)/.test(words) ? { ...OK, code: 127, stderr: 'not found in PATH' } : undefined
    host.answers = absent
    expect(await host.removeLeftovers()).toMatchObject({
      removed: [{ tool: 'iptables' }, { tool: 'iptables' }],
      remains: [],
    })
    expect(host.proxys).toEqual([])
  })

  test('may all be missing: then nothing was left by them', async () => {
    const host = new Host()
    host.answers = () => ({ ...OK, code: 127, stderr: 'not found in PATH' })
    expect(await host.removeLeftovers()).toEqual({ removed: [], remains: [] })
  })

  test('that are refused permission are reported, and hold up nothing else', async () => {
    const host = new Host()
    await host.restore('iptables-nft', saved('iptables-1.36-v4'))
    host.answers = words =>
      words === 'iptables-legacy-save'
        ? { ...OK, code: 1, stderr: 'Cannot initialize: Permission denied\n' }
        : undefined
    expect((await host.removeLeftovers()).remains).toEqual([
      { what: 'what iptables-legacy may have', why: 'Cannot initialize: Permission denied' },
    ])
    expect(host.proxys).toEqual([])
  })
})

describe('what nftables mode has left', () => {
  test('are two tables, deleted in one transaction', async () => {
    const host = new Host()
    const tables = 'table ip kube-proxy\ntable ip kube-proxy-of-mine\ntable ip6 kube-proxy\ntable ip filter\n'
    host.answers = words => (words.startsWith('nft') ? { ...OK, stdout: tables } : undefined)
    expect(await host.removeLeftovers()).toEqual({ removed: [{ tool: 'nft', what: 'tables', count: 2 }], remains: [] })
    const writes = host.commands.filter(({ argv }) => argv.join(' ') === 'nft -f -')
    expect(writes.map(({ input }) => input)).toEqual(['delete table ip kube-proxy\ndelete table ip6 kube-proxy\n'])
  })

  test('and cannot go is named', async () => {
    const host = new Host()
    host.answers = words => {
      if (words === 'nft list tables') return { ...OK, stdout: 'table ip6 kube-proxy\n' }
      return words.startsWith('nft') ? { ...OK, code: 1, stderr: 'Error: Operation not permitted\n' } : undefined
    }
    expect((await host.removeLeftovers()).remains).toEqual([
      { what: 'nft: table ip6 kube-proxy', why: 'Error: Operation not permitted' },
    ])
  })
})

describe('what ipvs mode has left', () => {
  const SETS = [
    'create KUBE-CLUSTER-IP hash:ip,port family inet maxelem 65536',
    'add KUBE-CLUSTER-IP 10.96.0.10,tcp:80',
    'create KUBE-NODE-PORT-TCP bitmap:port range 0-65535',
    'add KUBE-NODE-PORT-TCP 30080',
    'create KUBE-6-CLUSTER-IP hash:ip,port family inet6 maxelem 65536',
    'add KUBE-6-CLUSTER-IP fd10:96::10,tcp:80',
    'create of-mine hash:ip family inet maxelem 65536',
  ]
  const THEIRS = ['-A -t 192.0.2.1:80 -s wlc', '-A -f 1 -s rr']
  const SERVERS = [
    '-A -t 10.96.0.10:80 -s rr',
    '-a -t 10.96.0.10:80 -r 10.1.0.4:8080 -m -w 1',
    '-A -t 10.99.0.2:30080 -s rr',
    '-A -t [fd10:96::10]:80 -s rr',
    ...THEIRS,
  ]
  const IN_USE = 'ipset v7.17: Set cannot be destroyed: it is in use by a kernel component'
  const REMOVED = [
    { tool: 'ipvsadm', what: 'virtual servers', count: 3 },
    { tool: 'ip', what: 'device kube-ipvs0', count: 1 },
    { tool: 'ipset', what: 'sets', count: 3 },
  ]

  async function host(servers: readonly string[] = SERVERS): Promise<Host> {
    const host = new Host({ ipvs: { addresses: [ip('10.99.0.2')] } })
    await must(host.paper, restoreSets(SETS))
    if (servers.length > 0) await must(host.paper, restoreServers(servers))
    await must(host.paper, ipBatch([ADD_IPVS_DEVICE, serviceAddressLine('add', ip('10.96.0.10'))]))
    return host
  }

  const sets = async ({ paper }: Host) => (await must(paper, LIST_SET_NAMES)).stdout

  test('goes: its virtual servers, its device, its sets, and no others', async () => {
    const here = await host()
    expect(await here.removeLeftovers()).toEqual({ removed: REMOVED, remains: [] })
    expect((await must(here.paper, SAVE_SERVERS)).stdout).toBe(THEIRS.map(line => `${line}\n`).join(''))
    expect(await here.paper.run(FIND_IPVS_DEVICE)).toMatchObject({ code: 1 })
    expect(await sets(here)).toBe('of-mine\n')
  })

  test('waits for the kernel to release a set', async () => {
    const here = await host()
    let refusals = 15
    const isRefused = ({ argv, does }: Command) => argv[0] === 'ipset' && does === 'write' && refusals-- > 0
    here.paper.failWhen(isRefused, { ...OK, code: 1, stderr: `${IN_USE}\n` })
    expect(await here.removeLeftovers()).toEqual({ removed: REMOVED, remains: [] })
    expect(refusals).toBeLessThan(0)
    expect(await sets(here)).toBe('of-mine\n')
  })

  test('names the sets that a foreign rule uses', async () => {
    const here = await host()
    await here.restore('iptables', filter('-A INPUT -m set --match-set KUBE-CLUSTER-IP dst,dst -j DROP'))
    expect((await here.removeLeftovers()).remains).toEqual([{ what: 'ipset: set KUBE-CLUSTER-IP', why: IN_USE }])
    expect(await sets(here)).toBe('KUBE-CLUSTER-IP\nof-mine\n')
  })

  test('reports what ipvsadm writes to stderr even where it exits with 0', async () => {
    const here = await host()
    here.paper.failWhen(({ argv }) => argv[1] === '-R', { ...OK, stderr: 'Operation not permitted\n' })
    expect((await here.removeLeftovers()).remains).toEqual([
      { what: 'ipvsadm: virtual servers', why: 'Operation not permitted' },
    ])
  })

  test('is not looked for in a kernel without IPVS, which asking would load', async () => {
    const here = await host([])
    expect((await here.removeLeftovers()).removed).toEqual(REMOVED.slice(1))
    expect(here.commands.some(({ argv }) => argv[0] === 'ipvsadm')).toBe(false)
  })
})
