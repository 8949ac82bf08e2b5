import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { removeLeftovers } from '#proxy/modes/leftovers.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { cannotRun, type Namespace, newNamespace } from './namespace.ts'

// A node on which proxies of every mode and age have been, and afterwards none.

const IPTABLES = ['iptables-nft', 'iptables-legacy', 'ip6tables-nft', 'ip6tables-legacy'] as const
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const SVC = 'KUBE-SVC-3TNEVSQEVUCP4TQO'

const why = cannotRun(...IPTABLES, 'nft', 'ipset')

describe.skipIf(why !== undefined)(`cleanup${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  let kernel: Kernel

  beforeEach(async () => {
    namespace = await newNamespace('sy-clean')
    kernel = namespace.kernel
  })
  afterEach(() => namespace.end())

  const run = async (...argv: readonly [string, ...string[]]): Promise<string> =>
    (await must(kernel, anyCommand(argv))).stdout
  const put = (program: string, input: string): Promise<unknown> =>
    must(kernel, anyCommand([`${program}-restore`, '--noflush'], { input }))

  /** Everything there is, in one text, without what changes by itself. */
  async function everything(): Promise<string> {
    const saves = await Promise.all(IPTABLES.map(name => run(`${name}-save`)))
    const rest = [await run('nft', 'list', 'ruleset'), await run('ipset', 'save'), await run('ip', '-oneline', 'link')]
    return [...saves, ...rest]
      .join('\n')
      .replace(/^#.*$/gm, '')
      .replace(/\[\d+:\d+\]|packets \d+ bytes \d+/g, '')
  }

  const ofProxies = async (): Promise<readonly string[]> =>
    (await everything()).split('\n').filter(line => /KUBE-|kube-proxy|kube-ipvs/.test(line))

  test.each([
    ['iptables-1.20-v4', ['iptables-nft', 'iptables-legacy']],
    ['iptables-1.36-v4', ['iptables-nft', 'iptables-legacy']],
    ['iptables-1.36-v6', ['ip6tables-nft', 'ip6tables-legacy']],
    ['userspace-1.20', ['iptables-nft', 'iptables-legacy']],
  ] as const)('takes away all of %s', async (name, programs) => {
    for (const program of programs) await put(program, saved(name))
    expect((await ofProxies()).length).toBeGreaterThan(20)
    const { removed, remains } = await removeLeftovers({ kernel, clock: systemClock })
    expect(remains).toEqual([])
    expect(new Set(removed.map(({ tool }) => tool))).toEqual(new Set(programs))
    expect(await ofProxies()).toEqual([])
  })

  test('takes away the tables of nftables mode, and no other', async () => {
    await must(kernel, anyCommand(['nft', '-f', '-'], { input: fixture('nftables-1.36-v4.nft') }))
    await run('nft', 'add', 'table', 'ip6', 'kube-proxy')
    await run('nft', 'add', 'table', 'ip', 'kube-proxy-of-mine')
    const { removed, remains } = await removeLeftovers({ kernel, clock: systemClock })
    expect(remains).toEqual([])
    expect(removed).toEqual([{ tool: 'nft', what: 'tables', count: 2 }])
    expect((await run('nft', 'list', 'tables')).trim()).toBe('table ip kube-proxy-of-mine')
  })

  test('takes away the sets and the device of ipvs mode, with the rules that ask the sets', async () => {
    await run('ipset', 'create', 'KUBE-CLUSTER-IP', 'hash:ip,port')
    await run('ipset', 'create', 'KUBE-6-LOAD-BALANCER-SOURCE-CID', 'hash:ip,port,net', 'family', 'inet6')
    await run('ipset', 'create', 'KUBE-SRC-AAAAAAAAAAAAAAAA', 'hash:ip')
    // Not every kernel has dummy devices; it is known by its name.
    await run('ip', 'link', 'add', 'kube-ipvs0', 'type', 'veth', 'peer', 'name', 'other')
    await run('ip', 'address', 'add', '10.96.0.10/32', 'dev', 'kube-ipvs0')
    const ask = '-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT'
    const jump = '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'
    const doc = `*nat\n:KUBE-SERVICES - [0:0]\n:KUBE-LOAD-BALANCER - [0:0]\n${ask}\n${jump}\nCOMMIT\n`
    for (const program of ['iptables-nft', 'iptables-legacy']) await put(program, doc)
    expect((await removeLeftovers({ kernel, clock: systemClock })).remains).toEqual([])
    expect(await ofProxies()).toEqual([expect.stringContaining('create KUBE-SRC-AAAAAAAAAAAAAAAA ')])
  })

  test('leaves everything that others have made as it was', async () => {
    for (const name of ['docker', 'calico', 'cilium', 'flannel-portmap', 'firewalld', 'ufw', 'fail2ban']) {
      // Whatever of it this kernel takes.
      await kernel.run(anyCommand(['iptables-nft-restore', '--noflush'], { input: fixture(`${name}.save`) }))
      await kernel.run(anyCommand(['iptables-legacy-restore', '--noflush'], { input: fixture(`${name}.save`) }))
    }
    const before = await everything()
    for (const program of ['iptables-nft', 'iptables-legacy']) await put(program, saved('iptables-1.36-v4'))
    expect((await removeLeftovers({ kernel, clock: systemClock })).remains).toEqual([])
    // A table that a proxy was the first to use stays, with the chains the kernel itself has.
    expect(lines(await everything())).toEqual(lines(before))
    expect(before).toMatch(/^-A DOCKER/m)
  })

  test('leaves what kubelet has made as it was', async () => {
    await put('iptables-nft', fixture('kubelet.save'))
    const before = await everything()
    await put(
      'iptables-nft',
      saved('iptables-1.20-v4')
        .replaceAll(/^:KUBE-(?:MARK|POSTR|FIREWALL).*\n/gm, '')
        .replaceAll(/^-A (?:KUBE-(?:MARK|POSTR|FIREWALL)|POSTROUTING|\w+ -j KUBE-FIREWALL).*\n/gm, ''),
    )
    expect((await removeLeftovers({ kernel, clock: systemClock })).remains).toEqual([])
    expect(await everything()).toBe(before)
  })

  describe('a chain that a foreign rule leads to', () => {
    beforeEach(async () => {
      for (const program of ['iptables-nft', 'iptables-legacy']) {
        await put(program, saved('iptables-1.20-v4'))
        await put(program, `*nat\n:FOREIGN - [0:0]\n-A FOREIGN -p tcp -j ${SVC}\nCOMMIT\n`)
      }
    })

    test('is emptied and named, and holds up nothing else', async () => {
      const { remains } = await removeLeftovers({ kernel, clock: systemClock })
      expect(remains).toEqual(
        ['iptables-nft', 'iptables-legacy'].map(tool => ({
          what: `${tool}: chain ${SVC} in table nat, empty`,
          why: `a rule that is not ours leads there: -A FOREIGN -p tcp -j ${SVC}`,
        })),
      )
      expect(new Set(await ofProxies())).toEqual(
        new Set([
          expect.stringContaining(`:${SVC} - `),
          `-A FOREIGN -p tcp -j ${SVC}`,
          expect.stringContaining(`chain ${SVC} {`),
          expect.stringContaining(`jump ${SVC}`),
        ]),
      )
    })

    test.each([['cleanup'], ['--cleanup']])(
      'makes "switchyard %s" fail with one line, until the rule is gone',
      async word => {
        const first = program(word)
        expect(first.status).toBe(1)
        const complaints = first.stderr.split('\n').filter(line => line.startsWith('E'))
        expect(complaints).toHaveLength(1)
        expect(complaints[0]).toContain('encountered an error while tearing down rules')
        expect(complaints[0]).toContain(`iptables-nft: chain ${SVC} in table nat, empty`)
        expect(complaints[0]).toContain(`-A FOREIGN -p tcp -j ${SVC}`)
        for (const name of ['iptables-nft', 'iptables-legacy']) await run(name, '-t', 'nat', '-F', 'FOREIGN')
        const second = program(word)
        expect([second.status, second.stderr.split('\n').filter(line => /^[EW]/.test(line))]).toEqual([0, []])
        expect(await ofProxies()).toEqual([])
      },
    )
  })

  test('"switchyard cleanup" on a node without anything says nothing and succeeds', () => {
    expect(program('cleanup')).toMatchObject({ status: 0, stderr: '', stdout: '' })
  })

  test('without the right to change rules, says so in one line', async () => {
    await put('iptables-nft', saved('iptables-1.36-v4'))
    const { status, stderr } = program('cleanup', [
      'setpriv',
      '--bounding-set=-all',
      '--inh-caps=-all',
      '--reuid=65534',
      '--clear-groups',
    ])
    expect(status).toBe(1)
    const complaints = stderr.split('\n').filter(line => line.startsWith('E'))
    expect(complaints).toHaveLength(1)
    expect(complaints[0]).toMatch(/Permission denied|not permitted/)
  })

  function program(word: string, before: readonly string[] = []) {
    const argv = ['netns', 'exec', namespace.name, ...before, process.execPath, MAIN, word]
    return spawnSync('ip', argv, { encoding: 'utf8' })
  }
})

function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/saves/${name}`, import.meta.url), 'utf8')
}

/** Without the accounting that only kube-proxy asks the kernel for. */
function saved(name: string): string {
  return fixture(`${name}.save`)
    .split('\n')
    .filter(line => !line.includes('localhost_nps_accepted_pkts'))
    .map(line => line.replace(/ -m nfacct --nfacct-name +\w+/, ''))
    .join('\n')
}

/** A table that one of these programs was the first to use stays, with nothing in it. */
function lines(text: string): readonly string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(
      line =>
        line !== '' &&
        !/^(?:\*|:(?:PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) |COMMIT|table |chain (?:PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) |type |\})/.test(
          line,
        ),
    )
}
