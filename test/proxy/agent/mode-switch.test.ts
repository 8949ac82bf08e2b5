import { beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { ModeSwitch } from '#proxy/agent/mode-switch.ts'
import { type CapturedLog, captureLog } from '../../support/captured-log.ts'

// What another mode has left, on a kernel of paper: it is deleted, but for what foreign rules jump to, which is emptied
// and logged.

const LEFT = `*nat
:KUBE-SERVICES - [0:0]
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
:KUBE-SEP-BBBBBBBBBBBBBBBB - [0:0]
:FOREIGN - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.10/32 -j KUBE-SVC-AAAAAAAAAAAAAAAA
-A KUBE-SVC-AAAAAAAAAAAAAAAA -j KUBE-SEP-BBBBBBBBBBBBBBBB
-A KUBE-SEP-BBBBBBBBBBBBBBBB -p tcp -m tcp -j DNAT --to-destination 10.244.1.3:8080
COMMIT
`
const FOREIGN_RULE = '-A FOREIGN -p tcp -j KUBE-SVC-AAAAAAAAAAAAAAAA'

let kernel: PaperKernel
let heard: CapturedLog
let modeSwitch: ModeSwitch
let clock: PaperClock

beforeEach(async () => {
  kernel = new PaperKernel()
  heard = captureLog(0)
  clock = new PaperClock()
  modeSwitch = new ModeSwitch({
    mode: 'nftables',
    kernel,
    clock,
    log: heard.log,
    families: new Map([['ipv4', undefined]]),
  })
  await restore(LEFT)
})

async function restore(input: string): Promise<void> {
  const { code, stderr } = await kernel.run(anyCommand(['iptables-nft-restore', '--noflush'], { input }))
  expect([code, stderr]).toEqual([0, ''])
}

async function ours(): Promise<readonly string[]> {
  const { stdout } = await kernel.run(anyCommand(['iptables-nft-save', '-t', 'nat']))
  return stdout.split('\n').filter(line => line.includes('KUBE-'))
}

test('all of it goes, and that is said once', async () => {
  await modeSwitch.run()
  expect(await ours()).toEqual([])
  expect(heard.lines).toEqual(['"Removed the rules of another mode" mode="iptables" ipFamily="IPv4"'])
  const before = kernel.commands.length
  await modeSwitch.run()
  expect(kernel.commands).toHaveLength(before)
})

describe('a chain that a foreign rule jumps to', () => {
  beforeEach(async () => {
    await restore(`*nat\n${FOREIGN_RULE}\nCOMMIT\n`)
    await modeSwitch.run()
  })

  test('stays, emptied, and is logged; everything else goes, and nothing has failed', async () => {
    expect(await ours()).toEqual([':KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]', FOREIGN_RULE])
    expect(heard.lines).toEqual([
      '"Removed the rules of another mode" mode="iptables" ipFamily="IPv4"',
      `"Emptied what cannot be deleted: foreign rules lead there" mode="iptables" ipFamily="IPv4" blocked=["nat KUBE-SVC-AAAAAAAAAAAAAAAA: ${FOREIGN_RULE}"] count=1`,
    ])
  })

  test('is tried again without another line, and goes once no rule jumps to it', async () => {
    const said = heard.lines.length
    await modeSwitch.run()
    expect(heard.lines).toHaveLength(said)
    await restore(`*nat\n${FOREIGN_RULE.replace('-A', '-D')}\nCOMMIT\n`)
    await modeSwitch.run()
    expect(await ours()).toEqual([])
    expect(heard.lines.slice(said)).toEqual(['"Removed the rules of another mode" mode="iptables" ipFamily="IPv4"'])
  })
})

test('what could not be deleted is logged and tried again', async () => {
  const heal = kernel.failWhen(({ argv }) => argv[0].includes('restore'))
  await modeSwitch.run()
  expect(heard.lines.filter(line => line.startsWith('"Could not remove'))).toHaveLength(1)
  heal()
  await modeSwitch.run()
  expect(await ours()).toEqual([])
})

test('a switch that fails is tried again by itself until it has not, or the agent ends', async () => {
  const heal = kernel.failWhen(({ argv }) => argv[0].includes('restore'))
  const stop = new AbortController()
  const running = modeSwitch.runOften(30_000, stop.signal)
  await clock.advance(30_000)
  expect(heard.lines.filter(line => line.startsWith('"Could not remove'))).toHaveLength(2)
  heal()
  await clock.advance(30_000)
  await running
  expect(await ours()).toEqual([])
})

test('an agent that ends begins none anew, however many wait for one that fails', async () => {
  kernel.failWhen(({ argv }) => argv[0].includes('restore'))
  const stop = new AbortController()
  const running = modeSwitch.runOften(30_000, stop.signal)
  const waiting = running.then(() => modeSwitch.runOften(30_000, stop.signal))
  await clock.advance(0)
  const before = kernel.commands.length
  expect(before).toBeGreaterThan(1)
  stop.abort()
  await waiting
  expect(kernel.commands).toHaveLength(before)
})
