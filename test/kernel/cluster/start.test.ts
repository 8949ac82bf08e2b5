import { spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import { namespaceNames } from '#lab/network/namespaces.ts'
import type { Program } from '#lab/packages.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { whyNot } from '../ground.ts'
import { clusterProgram } from './cluster-program.ts'
import { mayMakeNamespaces, StartProgram } from './start-program.ts'

// npm start, as a person starts it and ends it.

const LONG = 240_000
const PATIENCE = { timeout: 120_000, interval: 50 }
/** What is built already need not be built again: two tests below build it, as a person does. */
const built = () => ['--no-install', `--dist=${clusterProgram()}`]

describe('npm start', () => {
  let why: string | undefined
  beforeAll(async () => {
    why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack', 'musl-gcc'])
  })

  test('shows a cluster in which Services answer, ends as the command of --exec ends, and leaves nothing', {
    timeout: LONG,
  }, async context => {
    if (why !== undefined) context.skip(why)
    const program = new StartProgram(['--no-install', '--exec=switchyard ranges; exit 7'])
    expect([await program.ended(), program.said]).toEqual([7, expect.stringContaining('Service CIDR')])
    for (const line of [
      /10\.244\.1\.2 +ASSIGNED +default\/db-/,
      /DNAT .*\/\* default\/db-service:3306 \*\/ tcp to:10\.244\.1\.2:3306/,
      /^Using iptables Proxier\.$/m,
      /^Adding new service "default\/db-service:3306" at 10\.103\.132\.104:3306\/TCP$/m,
      /^First answer through a Service after \d+\.\d s, tour done after \d+\.\d s; \d+ MiB in \d+ processes\.$/m,
    ])
      expect(program.said).toMatch(line)
    expect(await program.left()).toEqual([])
  })

  test.for<{ what: string; choices: readonly string[]; needs: readonly Program[] }>([
    {
      what: 'nftables mode, with containers and a ring',
      choices: ['--proxy-mode=nftables', '--runtime=containerd', '--ipam=ring'],
      needs: ['containerd', 'runc', 'busybox'],
    },
    { what: 'userspace mode', choices: ['--proxy-mode=userspace'], needs: [] },
  ])('shows the whole tour in $what', { timeout: LONG }, async ({ choices, needs }, context) => {
    const missing = why ?? (await whyNot(needs))
    if (missing !== undefined) context.skip(missing)
    const program = new StartProgram([...built(), ...choices, '--exec=exit 7'])
    expect([await program.ended(), program.said]).toEqual([7, expect.stringContaining(', tour done after ')])
    expect(await program.left()).toEqual([])
  })

  test('that is interrupted twice while it starts leaves nothing', { timeout: LONG }, async context => {
    if (why !== undefined) context.skip(why)
    const program = new StartProgram(built())
    await expect.poll(() => program.said, PATIENCE).toContain('starting 2 nodes')
    program.signal('SIGINT')
    program.signal('SIGINT')
    expect([await program.ended(), await program.left()]).toEqual([130, []])
    expect(program.said).toContain('Stopped. Nothing is left behind.')
  })

  test('that was killed is swept by the next one, with containers or without', { timeout: LONG }, async context => {
    const missing = why ?? (await whyNot(['containerd', 'runc', 'busybox']))
    if (missing !== undefined) context.skip(missing)
    const killed = new StartProgram(built())
    const withContainers = new StartProgram([...built(), '--nodes=1', '--runtime=containerd'])
    // Before the first of them is killed: each sweeps when it starts.
    await expect.poll(() => killed.said, PATIENCE).toContain('waiting for the nodes')
    await expect.poll(() => withContainers.said, PATIENCE).toContain('waiting for the pods of web and dns')
    for (const program of [killed, withContainers]) program.signal('SIGKILL')
    for (const program of [killed, withContainers]) expect(await program.ended()).toBe('SIGKILL')
    expect(await killed.left()).not.toEqual([])
    const networks = withContainers.networksOfContainers()
    expect(networks).not.toEqual([])
    const next = new StartProgram([...built(), '--quiet', '--nodes=1', '--exec=true'])
    expect([await next.ended(), next.said]).toEqual([0, ''])
    const stays = (await namespaceNames(hostKernel())).filter(name => networks.includes(name))
    expect([await killed.left(), await withContainers.left(), stays, await next.left()]).toEqual([[], [], [], []])
  })

  test('by a user without rights runs in a user namespace, or says in one sentence why it cannot', {
    timeout: LONG,
  }, async context => {
    if (why !== undefined) context.skip(why)
    const started = new StartProgram(['--exec=kubectl get nodes || api get /api/v1/nodes; exit 7'], 'user')
    const status = await started.ended()
    if (mayMakeNamespaces())
      expect([status, started.said]).toEqual([7, expect.stringMatching(/First answer[\s\S]*node-2 +Ready/)])
    else expect([status, started.said]).toEqual([1, expect.stringContaining('which this system does not allow')])
    expect(await started.left()).toEqual([])
  })

  test('in a mode that this kernel cannot run says so, and leaves nothing', { timeout: LONG }, async context => {
    if (why !== undefined) context.skip(why)
    if (spawnSync('modprobe', ['ip_vs']).status === 0) context.skip('this kernel has IPVS')
    const missing = await whyNot(['ipvsadm', 'ipset'])
    if (missing !== undefined) context.skip(missing)
    const program = new StartProgram([...built(), '--proxy-mode=ipvs', '--exec=true'])
    expect([await program.ended(), program.said]).toEqual([
      1,
      expect.stringMatching(/--proxy-mode=ipvs needs the kernel module ip_vs/),
    ])
    expect(await program.left()).toEqual([])
  })
})
