import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { nodeForEach } from './node-for-each.ts'
import type { Installation, PodsNode } from './pods-node.ts'
import { cannotCompile } from './shim.ts'

// What a node can come to, with the daemon as it is shipped: it hangs, the disk is full, the machine starts anew.

const why = cannotRun('nsenter', 'unshare') ?? cannotCompile()

const NETWORK = {
  cniVersion: '1.1.0',
  name: 'mynet',
  type: 'bridge',
  isGateway: true,
  ipam: { type: 'host-local', subnet: '10.244.0.0/16', cooldown: '0s' },
}

describe.skipIf(why !== undefined)(`the pods’ daemon in trouble${why ? ` (skipped: ${why})` : ''}`, () => {
  let installation: Installation
  let node: PodsNode
  nodeForEach((started, its) => {
    node = started
    installation = its
    node.pod('blue')
  })

  const call = (command: string, container = 'blue') =>
    node.call('bridge', { command, container, netns: `/run/netns/${container}`, config: NETWORK })
  const links = () => node.links().filter(name => name.startsWith('veth')).length

  test('that hangs is passed by, and does nothing of what it missed when it goes on', async () => {
    installation.addFallback()
    const daemon = await node.startDaemon()
    daemon.kill('SIGSTOP')
    expect((await call('ADD')).code).toBe(0)
    expect([node.held(), links()]).toEqual([['mynet blue'], 1])
    daemon.kill('SIGCONT')
    expect((await call('CHECK')).code).not.toBe(0)
    node.pod('green')
    expect((await call('ADD', 'green')).code).toBe(0)
    expect(node.held()).toEqual(['mynet blue', 'mynet green'])
    const made = () => daemon.lines.filter(line => line.includes('command="ADD"')).length
    await expect.poll(made).toBe(1)
    for (const container of ['blue', 'green']) expect((await call('DEL', container)).code).toBe(0)
    expect([node.held(), links()]).toEqual([[], 0])
  })

  test('whose disk is full says so, makes nothing by halves, and goes on when there is room', async () => {
    node.run('mkdir', '-p', '/var/lib/switchyard')
    node.run('mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', '/var/lib/switchyard')
    const daemon = await node.startDaemon()
    expect((await call('ADD')).code).toBe(0)
    expect((await call('DEL')).code).toBe(0)
    node.run('sh', '-c', 'cat /dev/zero > /var/lib/switchyard/ballast; true')
    let full = await call('ADD')
    // What the journal has room for yet is no trouble.
    for (let i = 0; i < 200 && full.code === 0; i += 1) {
      expect((await call('DEL')).code).toBe(0)
      full = await call('ADD')
    }
    expect([full.code, JSON.parse(full.stdout)]).toMatchObject([1, { msg: expect.stringMatching(/full/) }])
    expect(links()).toBe(0)
    expect((await call('STATUS')).stdout).toMatch(/"code": 50,[\s\S]*disk is full/)
    node.run('rm', '/var/lib/switchyard/ballast')
    expect((await call('STATUS')).code).toBe(0)
    expect((await call('ADD')).code).toBe(0)
    expect(links()).toBe(1)
    await expect.poll(() => daemon.lines.join('\n')).toMatch(/^E.*"CNI call failed" err=".*full/m)
  })

  test.each(['daemon', 'fallback'])('whose disk is full lets pods go, by the %s', async by => {
    node.run('mkdir', '-p', '/var/lib/switchyard')
    node.run('mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', '/var/lib/switchyard')
    if (by === 'daemon') await node.startDaemon()
    else installation.addFallback()
    const pods = ['blue', 'green', 'red', 'white']
    for (const pod of pods.slice(1)) node.pod(pod)
    for (const pod of pods) expect((await call('ADD', pod)).code).toBe(0)
    node.run('sh', '-c', 'cat /dev/zero > /var/lib/switchyard/ballast; true')
    for (const pod of pods) expect(await call('DEL', pod)).toMatchObject({ code: 0 })
    expect(links()).toBe(0)
    node.run('rm', '/var/lib/switchyard/ballast')
    expect((await call('STATUS')).code).toBe(0)
    expect((await call('ADD')).code).toBe(0)
    expect(links()).toBe(1)
  })

  test('that is asked to stop answers what it has begun, and takes its socket away', async () => {
    const daemon = await node.startDaemon()
    const calls = ['a', 'b', 'c', 'd'].map(name => {
      node.pod(name)
      return node.start('bridge', { command: 'ADD', container: name, netns: `/run/netns/${name}`, config: NETWORK })
    })
    await expect.poll(() => node.held().length).toBeGreaterThan(0)
    daemon.kill('SIGTERM')
    expect(await daemon.ended).toBe(0)
    const outcomes = await Promise.all(calls.map(({ ended }) => ended))
    // Nothing works without a daemon here: what it had not begun is to be tried again, and holds nothing.
    const attached = outcomes.filter(({ code }) => code === 0).length
    expect(node.held()).toHaveLength(attached)
    for (const { stdout } of outcomes.filter(({ code }) => code !== 0)) {
      expect(JSON.parse(stdout)).toMatchObject({ code: 11 })
    }
    expect(node.run('ls', '/run/switchyard')).toBe('')
  })

  test('installs itself where runtimes look, works from there, and leaves it as it was', async () => {
    const [bin, conf] = ['/run/opt/bin', '/run/etc/net.d']
    node.run('mkdir', '-p', bin, conf, '/run/elsewhere')
    node.run('sh', '-c', `echo reference > ${bin}/bridge; echo '{"old":1}' > ${conf}/10-pods.conflist`)
    const list = { cniVersion: '1.1.0', name: 'pods', plugins: [{ ...NETWORK, type: 'switchyard', name: undefined }] }
    node.run('sh', '-c', `cat > /run/10-pods.conflist <<'END'\n${JSON.stringify(list)}\nEND`)
    const cni = (...words: readonly string[]): string =>
      node.run(
        'sh',
        '-c',
        'cd /run/elsewhere; exec "$@"',
        'sh',
        process.execPath,
        installation.program,
        'cni',
        ...words,
      )
    const where = [`--bin-dir=${bin}`, '--replace-standard-plugins']
    await node.startDaemon()
    const done = cni('install', '/run/10-pods.conflist', `--conf-dir=${conf}`, ...where)
    expect(done).toContain(`Installed ${bin}/bridge; the one that was there is kept`)
    expect(done).toContain(`Installed ${conf}/10-pods.conflist; the one that was there is kept`)
    await node.stopDaemons()
    // Without a daemon, by what was installed.
    const netns = '/run/netns/blue'
    const variables = {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'blue',
      CNI_NETNS: netns,
      CNI_IFNAME: 'eth0',
      CNI_PATH: bin,
    }
    const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
    const added = node.runWith(JSON.stringify(NETWORK), ['env', ...words, join(bin, 'bridge')])
    expect(JSON.parse(added)).toMatchObject({ ips: [{ address: '10.244.0.2/16' }] })
    expect(cni('uninstall', `--bin-dir=${bin}`)).toContain(`Put back ${bin}/bridge.`)
    expect(node.run('ls', '-A', bin, conf)).toBe(`${conf}:\n10-pods.conflist\n\n${bin}:\nbridge\n`)
    expect(node.run('cat', `${bin}/bridge`, `${conf}/10-pods.conflist`)).toBe('reference\n{"old":1}\n')
  })
})
