import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Outcome } from '#system/ports.ts'
import { Host, OK } from './leftovers-host.ts'

// Leftovers of proxies in a paper kernel, and what remains after their removal.

const SVC = 'KUBE-SVC-3TNEVSQEVUCP4TQO'
const LOCKED = 'Another app is currently holding the xtables lock.'

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
