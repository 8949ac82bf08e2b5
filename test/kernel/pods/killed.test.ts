import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { askDaemon } from '#cni/daemon/client.ts'
import { SOCKET } from '#cni/daemon/service.ts'
import { cannotRun } from '../namespace.ts'
import { nodeForEach } from './node-for-each.ts'
import type { Installation, PodsNode } from './pods-node.ts'
import { cannotCompile } from './shim.ts'

// A daemon that is killed at each step of an ADD: before each message to the kernel, each write and each sync of the database,
// and each start of a program.

const why = cannotRun('iptables', 'strace', 'nsenter', 'unshare') ?? cannotCompile()
const VERSION = { plugin: 'bridge', env: { CNI_COMMAND: 'VERSION' }, stdin: '{}' }
const STEPS = 'sendto,pwrite64,fsync,fdatasync,clone,clone3,vfork'

const BRIDGE = {
  cniVersion: '1.1.0',
  name: 'mynet',
  type: 'bridge',
  isGateway: true,
  ipMasq: true,
  ipam: { type: 'host-local', subnet: '10.244.0.0/16', routes: [{ dst: '0.0.0.0/0' }] },
}

describe.skipIf(why !== undefined)(
  `a daemon that is killed${why ? ` (skipped: ${why})` : ''}`,
  { timeout: 600_000 },
  () => {
    let installation: Installation
    let node: PodsNode
    nodeForEach(async (started, its) => {
      node = started
      installation = its
      node.pod('blue')
      // The bridge and the chains of the first pod are there: what remains is done for each.
      await node.startDaemon()
      node.pod('first')
      expect((await call('ADD', 'first')).code).toBe(0)
    })

    const call = (command: string, container = 'blue') =>
      node.call('bridge', { command, container, netns: `/run/netns/${container}`, config: BRIDGE })

    /** An ADD whose daemon is killed before its step of this number; 'done' where it has fewer. */
    async function addUntil(
      step: number,
    ): Promise<{ readonly daemon: 'killed' | 'done'; readonly code: number | null }> {
      await node.stopDaemons()
      const daemon = await node.startDaemon()
      const words = ['-o', '/dev/null', '-p', `${daemon.pid}`, '-e', `trace=${STEPS}`]
      const strace = spawn('strace', [...words, '-e', `inject=${STEPS}:signal=SIGKILL:when=${step}`])
      const ended = once(strace, 'close')
      // `Process 4711 attached`
      await once(strace.stderr, 'data')
      const { code } = await call('ADD')
      strace.kill('SIGTERM')
      await ended
      // One that was killed answers no more, and may not have ended yet.
      const answer = await askDaemon(node.path(SOCKET), VERSION)
      if (answer === undefined) await daemon.ended
      return { daemon: answer === undefined ? 'killed' : 'done', code }
    }

    const linksOfPods = () => node.links().filter(name => name.startsWith('veth'))
    const rules = () => node.run('iptables-save', '-t', 'nat').match(/^:CNI-\S+/gm) ?? []
    const nothingLeft = () =>
      expect([node.held(), linksOfPods().length, rules().length]).toEqual([['mynet first'], 1, 1])

    test('has its ADD done by the program beside it, once, at whatever step', async () => {
      installation.addFallback()
      let steps = 0
      for (let daemon = 'killed'; daemon === 'killed'; steps += 1) {
        const added = await addUntil(steps + 1)
        daemon = added.daemon
        expect([steps, added.code, node.held(), linksOfPods().length]).toEqual([
          steps,
          0,
          ['mynet blue', 'mynet first'],
          2,
        ])
        if (daemon === 'killed') await node.startDaemon()
        expect(node.healthzFrom('blue', '10.244.0.1')).toContain('200 OK')
        expect((await call('DEL')).code).toBe(0)
        nothingLeft()
      }
      expect(steps).toBeGreaterThan(15)
    })

    test('leaves nothing behind the DEL that follows, where no other program does the work', async () => {
      let steps = 0
      for (let isAnswered = false; !isAnswered; steps += 2) {
        const { daemon, code } = await addUntil(steps + 1)
        // What it does besides has steps, too: one that has answered may be killed then.
        isAnswered = code === 0
        if (!isAnswered) expect([steps, code, daemon]).toEqual([steps, 1, 'killed'])
        if (daemon === 'killed') await node.startDaemon()
        expect((await call('DEL')).code).toBe(0)
        nothingLeft()
      }
      expect(steps).toBeGreaterThan(15)
    })
  },
)
