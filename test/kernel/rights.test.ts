import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Lab } from '#lab/network/lab.ts'
import { within } from '#lab/network/namespaces.ts'
import { openSeedLab, SEED_NODE, SEED_OBJECTS } from '#lab/network/seed.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { whyNot } from './ground.ts'

// The program as it is shipped, with the rights the DaemonSet gives it and no others: two capabilities, and nothing of
// /proc/sys, /sys and the root file system to write to.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'])
const BUILD = fileURLToPath(new URL('../../build.ts', import.meta.url))
const FOLDER = join(tmpdir(), `switchyard-built-${process.pid}`)
const MAIN = join(FOLDER, 'switchyard.js')
const API = fileURLToPath(new URL('./api-program.ts', import.meta.url))
const PORT = 6998
const DB = { to: '10.103.132.104', port: 3306 }
const SCRIPT = [
  'set -e',
  'mount -t tmpfs tmpfs /run',
  'for place in /proc/sys /sys; do mount --bind "$place" "$place"; done',
  'for place in /proc/sys /sys /; do mount -o remount,bind,ro "$place"; done',
  // So that this test is about what it says.
  'if touch /switchyard-was-here 2>/dev/null; then echo "E the root file system can be written to" >&2; fi',
  'exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all,+net_admin,+net_raw -- "$@"',
].join('\n')

describe.skipIf(why !== undefined)(`switchyard in its container${why ? ` (skipped: ${why})` : ''}`, () => {
  let lab: Lab
  let api: Child
  const programs: Child[] = []

  beforeAll(async () => {
    await must(hostKernel(), anyCommand([process.execPath, BUILD, '--into', FOLDER]))
    writeFileSync(join(FOLDER, 'package.json'), '{"type":"module"}')
    lab = await openSeedLab(hostKernel())
    const ready = Promise.withResolvers<void>()
    const options = JSON.stringify({ options: { port: PORT }, objects: SEED_OBJECTS })
    const argv = within(lab.node.namespace, [process.execPath, API, options])
    api = startChild({ argv, onLine: () => ready.resolve() })
    await ready.promise
  })
  afterEach(async () => {
    await Promise.all(programs.splice(0).map(program => program.stop()))
  })
  afterAll(async () => {
    await api?.stop()
    await lab?.close()
    rmSync(FOLDER, { recursive: true })
  })

  const flags = (mode: string): readonly string[] => [
    `--proxy-mode=${mode}`,
    `--master=http://127.0.0.1:${PORT}`,
    `--hostname-override=${SEED_NODE}`,
    '--cluster-cidr=10.244.0.0/16',
    '--healthz-bind-address=127.0.0.1:10256',
    // A limit that no machine has by itself.
    '--conntrack-max-per-core=1',
    '--conntrack-min=131073',
  ]

  function start(...words: readonly string[]): Child {
    const confined = ['unshare', '--mount', 'sh', '-c', SCRIPT, 'sh', process.execPath, MAIN, ...words] as const
    const program = startChild({ argv: within(lab.node.namespace, confined), onLine: () => {} })
    programs.push(program)
    return program
  }

  /** As a container is stopped: the signal goes to the program alone, and not to the tools it has running. */
  function end({ pid, ended }: Child): Child['ended'] {
    process.kill(pid!, 'SIGTERM')
    return ended
  }

  async function connects(): Promise<boolean> {
    const client = lab.pods.find(({ name }) => name === 'client')!
    return (await client.connect({ ...DB, timeoutMs: 1000 })).ok
  }

  test.each([
    ['iptables', 'goes on'],
    ['nftables', 'goes on'],
    ['userspace', 'ends with it'],
  ])('serves in %s mode, after setup did what takes more, and what it serves %s', async (mode, afterwards) => {
    await must(lab.node.kernel, anyCommand([process.execPath, MAIN, '--init-only', ...flags(mode)]))
    await must(lab.node.kernel, anyCommand([process.execPath, MAIN, 'cleanup']))
    expect(await connects()).toBe(false)
    const program = start(...flags(mode))
    const deadline = systemClock.now() + 45_000
    while (!(await connects()) && systemClock.now() < deadline) await systemClock.sleep(50)
    expect(await connects()).toBe(true)
    const { code, stderr } = await end(program)
    expect(code).toBe(0)
    const troubles = stderr.split('\n').filter(line => /^[EW]/.test(line))
    // In a network namespace of its own not even setup may raise the limit; and no process sets the score of another.
    expect(troubles.map(line => /settings=\["(\S+):/.exec(line)?.[1])).toEqual([
      'oom_score_adj',
      'net/netfilter/nf_conntrack_max',
    ])
    expect(await connects()).toBe(afterwards === 'goes on')
  })

  test('says in one line what it lacks, and serves all the same, where setup was not run', async () => {
    await must(lab.node.kernel, anyCommand(['tee', '/proc/sys/net/ipv4/conf/all/route_localnet'], { input: '0\n' }))
    await must(lab.node.kernel, anyCommand([process.execPath, MAIN, 'cleanup']))
    const program = start(...flags('iptables'))
    const deadline = systemClock.now() + 45_000
    while (!(await connects()) && systemClock.now() < deadline) await systemClock.sleep(50)
    expect(await connects()).toBe(true)
    const { stderr } = await end(program)
    const line = stderr.split('\n').find(text => text.includes('route_localnet'))
    expect(line).toMatch(/^W.*Read-only file system: this container is not privileged/)
    expect(line).toContain('--iptables-localhost-nodeports (iptables.localhostNodePorts): false')
  })
})
