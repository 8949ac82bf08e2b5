import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#system/clock.ts'
import { cannotRun } from '../namespace.ts'
import { Installation, PodsNode } from './pods-node.ts'
import { cannotCompile, startShim } from './shim.ts'

// Pods that begin all the while, as fast as they can, while host-local is replaced by ours, and put back: no address is given to
// two, whichever executable was started when.

const REFERENCE = '/usr/lib/cni/host-local'
const missing = existsSync(REFERENCE) ? undefined : `${REFERENCE} is not installed`
const why = cannotRun('nsenter', 'unshare') ?? cannotCompile() ?? missing
const [BIN, DATA_DIR] = ['/run/plugins', '/var/lib/cni/networks']
const CONFIG = { cniVersion: '1.0.0', name: 'mynet', ipam: { type: 'host-local', subnet: '10.244.0.0/16' } }
const WORKERS = 4

describe.skipIf(why !== undefined)(`changing over while pods begin${why ? ` (skipped: ${why})` : ''}`, () => {
  let installation: Installation
  beforeAll(() => {
    installation = new Installation()
  })
  afterAll(() => installation.remove())

  test('gives no address twice, there and back', async () => {
    const node = await PodsNode.start(installation)
    const given: string[] = []
    const failures: string[] = []
    let [isOver, made] = [false, 0]

    async function begin(): Promise<void> {
      const container = `c${made++}`
      const [enter, ...words] = node.within([join(BIN, 'host-local')])
      const { code, stdout } = await startShim(enter, {
        env: {
          ...{
            CNI_COMMAND: 'ADD',
            CNI_CONTAINERID: container,
            CNI_NETNS: `/run/netns/${container}`,
            CNI_IFNAME: 'eth0',
          },
          ...{ CNI_PATH: BIN, PATH: process.env.PATH! },
        },
        stdin: JSON.stringify(CONFIG),
        words,
      }).ended
      if (code === 0) given.push(JSON.parse(stdout).ips[0].address)
      else failures.push(JSON.parse(stdout).msg)
    }
    async function worker(): Promise<void> {
      while (!isOver) await begin()
    }
    /** Until so many more have been given. */
    async function more(count: number): Promise<void> {
      const wanted = given.length + count
      await expect.poll(() => given.length, { timeout: 90_000, interval: 5 }).toBeGreaterThan(wanted)
    }
    const change = async (...words: readonly string[]) => {
      const program = [process.execPath, installation.program, 'cni', ...words, `--bin-dir=${BIN}`]
      const [enter, ...argv] = node.within(program)
      return startShim(enter, { env: { PATH: process.env.PATH! }, words: argv }).ended
    }

    try {
      node.run('mkdir', BIN)
      node.run('cp', REFERENCE, BIN)
      await node.startDaemon()
      const workers = Array.from({ length: WORKERS }, worker)
      for (let round = 0; round < 3; round++) {
        await more(40)
        const over = await change('install', '--replace-standard-plugins', `--import=${DATA_DIR}`)
        expect(over).toMatchObject({ code: 0, stdout: expect.stringContaining('imported') })
        await more(40)
        expect(await change('uninstall', `--export=${DATA_DIR}`)).toMatchObject({ code: 0 })
      }
      await more(40)
      isOver = true
      await Promise.all(workers)
      const counts = Map.groupBy(given, address => address)
      expect([...counts].filter(([, all]) => all.length > 1).map(([address]) => address)).toEqual([])
      // Of those that waited for the lock while their executable was replaced.
      expect(failures.filter(message => !/not a directory|no such file/.test(message))).toEqual([])
    } finally {
      isOver = true
      await systemClock.sleep(100)
      await node.stop()
    }
  }, 300_000)
})
