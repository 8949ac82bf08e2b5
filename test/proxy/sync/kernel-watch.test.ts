import { describe, expect, test } from 'vitest'
import { restoreInto, saveAll } from '#dialects/iptables.ts'
import { applyLines, listTable } from '#dialects/nft.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { alarm as iptablesAlarm } from '#proxy/modes/iptables-alarm.ts'
import type { Alarm } from '#proxy/modes/mode.ts'
import { alarm as nftablesAlarm } from '#proxy/modes/nftables/alarm.ts'
import { KernelWatch } from '#proxy/sync/kernel-watch.ts'
import type { Follow } from '#system/ports.ts'

const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-nft-restore', save: 'iptables-nft-save' } as const
const RESTORE = restoreInto(TOOLS, '')

class Hill {
  rings = 0
  missed = 0
  busy = false
  speak: (line: string) => void = () => {}
  readonly starts: (readonly string[])[] = []
  readonly clock = new PaperClock()
  readonly stop = new AbortController()
  readonly tower: KernelWatch
  #end: (code: number) => void = () => {}

  constructor(alarm: Alarm = iptablesAlarm(TOOLS)!) {
    const follow: Follow = (argv, onLine) => {
      this.starts.push(argv)
      this.speak = onLine
      const ended = new Promise<{ code: number; stderr: string }>(resolve => {
        this.#end = code => resolve({ code, stderr: '' })
      })
      return { ended, stop: async () => this.#end(143) }
    }
    this.tower = new KernelWatch({
      alarm,
      follow,
      clock: this.clock,
      busy: () => this.busy,
      ring: () => this.rings++,
      missed: () => this.missed++,
    })
  }

  transaction(author: string, ...lines: readonly string[]): void {
    const [program, process = '77'] = author.split(' ')
    for (const line of [...lines, `# new generation 5 by process ${process} (${program})`]) this.speak(line)
  }

  async ends(code: number): Promise<void> {
    this.#end(code)
    await this.clock.advance(0)
  }
}

describe('a watchtower', () => {
  test.each([
    ['a rule in our chain that goes', 'delete rule ip nat KUBE-SERVICES handle 7'],
    ['one that comes', 'insert rule ip nat KUBE-SERVICES counter packets 0 bytes 0 return'],
    ['a jump to us that may have gone', 'delete rule ip nat PREROUTING handle 3'],
    ['a whole table', 'delete table ip filter'],
    ['a second jump to us', 'add rule ip filter FORWARD counter packets 0 bytes 0 jump KUBE-FORWARD'],
    ['a chain', 'delete chain ip nat KUBE-SVC-3TNEVSQEVUCP4TQO'],
  ])('rings for %s', async (_, line) => {
    const hill = new Hill()
    const running = hill.tower.run(hill.stop.signal)
    hill.transaction('nft', line)
    expect(hill.rings).toBe(1)
    hill.stop.abort()
    await running
  })

  test.each([
    ['chains of others', 'add rule ip nat DOCKER counter return'],
    ['the other family', 'delete rule ip6 nat KUBE-SERVICES handle 7'],
    ["kubelet's chains", 'add chain ip mangle KUBE-KUBELET-CANARY'],
    ['tables of others', 'delete table ip docker'],
    ['rules that others add beside ours', 'add rule ip filter FORWARD counter accept'],
  ])('does not ring for %s', async (_, line) => {
    const hill = new Hill()
    void hill.tower.run(hill.stop.signal)
    hill.transaction('iptables', line)
    expect(hill.rings).toBe(0)
    hill.stop.abort()
  })

  test('says once that something may have been missed: when it surely listens, at the start and after an end', async () => {
    const hill = new Hill()
    const running = hill.tower.run(hill.stop.signal)
    await hill.clock.advance(59_000)
    expect(hill.missed).toBe(0)
    await hill.clock.advance(1000)
    expect(hill.missed).toBe(1)
    await hill.clock.advance(3_600_000)
    expect(hill.missed).toBe(1)
    await hill.ends(1)
    await hill.clock.advance(5000)
    expect(hill.starts.length).toBe(2)
    await hill.ends(1)
    await hill.clock.advance(5000)
    await hill.clock.advance(59_000)
    expect([hill.starts.length, hill.missed]).toEqual([3, 1])
    await hill.clock.advance(1000)
    expect(hill.missed).toBe(2)
    hill.stop.abort()
    await running
  })

  test('says nothing of the kind where it ended, or was told to, before', async () => {
    const hill = new Hill()
    const running = hill.tower.run(hill.stop.signal)
    await hill.clock.advance(30_000)
    hill.stop.abort()
    await running
    await hill.clock.advance(60_000)
    const nobody = new Hill()
    const none = nobody.tower.run(nobody.stop.signal)
    await nobody.ends(127)
    await none
    await nobody.clock.advance(60_000)
    expect([hill.missed, nobody.missed]).toEqual([0, 0])
  })

  test('does not ring for what we write, and does for what the same program writes when we are idle', async () => {
    const hill = new Hill()
    void hill.tower.run(hill.stop.signal)
    hill.busy = true
    hill.tower.expect(RESTORE)
    hill.transaction('iptables-nft-re', 'delete rule ip nat KUBE-SERVICES handle 7')
    expect(hill.rings).toBe(0)
    hill.transaction('iptables', 'delete rule ip nat KUBE-SERVICES handle 7')
    expect(hill.rings).toBe(1)
    hill.busy = false
    hill.transaction('iptables-nft-re', 'delete rule ip nat KUBE-SERVICES handle 8')
    expect(hill.rings).toBe(2)
    hill.stop.abort()
  })

  test('takes all blocks of one document for ours, and those of another process for what they are', async () => {
    const hill = new Hill()
    void hill.tower.run(hill.stop.signal)
    hill.busy = true
    hill.tower.expect(saveAll(TOOLS))
    hill.tower.expect(RESTORE)
    const blocks = [
      'create chain ip nat KUBE-SVC-X',
      'add rule ip nat KUBE-SERVICES counter',
      'delete chain ip nat KUBE-Y',
    ]
    for (const line of blocks) hill.transaction('iptables-nft-re 100', line)
    expect(hill.rings).toBe(0)
    hill.transaction('iptables-nft-re 101', 'delete rule ip nat KUBE-SERVICES handle 7')
    expect(hill.rings).toBe(1)
    hill.transaction('iptables-nft-re 100', blocks[0]!)
    expect(hill.rings).toBe(1)
    hill.tower.expect(RESTORE)
    hill.transaction('iptables-nft-re 102', blocks[0]!)
    expect(hill.rings).toBe(1)
    hill.stop.abort()
  })

  test('rings where the program we use ourselves makes one transaction more than we did, while we are at it', async () => {
    const hill = new Hill(nftablesAlarm('ipv4'))
    void hill.tower.run(hill.stop.signal)
    hill.busy = true
    const change = 'delete element ip kube-proxy cluster-ips { 10.96.0.10 }'
    const write = applyLines([], 'ipv4')
    hill.tower.expect(listTable('ipv4', 'kube-proxy'))
    hill.tower.expect(write)
    hill.transaction('nft', change)
    expect(hill.rings).toBe(0)
    hill.transaction('nft 78', change)
    expect(hill.rings).toBe(1)
    hill.tower.expect(write)
    hill.tower.settle()
    hill.transaction('nft', change)
    expect(hill.rings).toBe(2)
    hill.stop.abort()
  })

  test('is isListening again when its watchman ends, and is left where there can be none', async () => {
    const hill = new Hill()
    const running = hill.tower.run(hill.stop.signal)
    expect(hill.tower.isListening).toBe(true)
    await hill.ends(1)
    expect(hill.tower.isListening).toBe(false)
    await hill.clock.advance(5000)
    expect([hill.tower.isListening, hill.starts.length]).toEqual([true, 2])
    await hill.ends(127)
    await running
    expect(hill.tower.isListening).toBe(false)
  })

  test('has nothing to watch where iptables is the legacy one', () => {
    expect(iptablesAlarm({ ...TOOLS, variant: 'legacy' })).toBeUndefined()
  })
})
