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

class Watched {
  foreignChanges = 0
  gaps = 0
  busy = false
  speak: (line: string) => void = () => {}
  readonly starts: (readonly string[])[] = []
  readonly clock = new PaperClock()
  readonly stop = new AbortController()
  readonly watch: KernelWatch
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
    this.watch = new KernelWatch({
      alarm,
      follow,
      clock: this.clock,
      isBusy: () => this.busy,
      onForeignChange: () => this.foreignChanges++,
      onGap: () => this.gaps++,
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

describe('a kernel watch', () => {
  test.each([
    ['a rule in our chain that goes', 'delete rule ip nat KUBE-SERVICES handle 7'],
    ['one that comes', 'insert rule ip nat KUBE-SERVICES counter packets 0 bytes 0 return'],
    ['a jump to us that may have gone', 'delete rule ip nat PREROUTING handle 3'],
    ['a whole table', 'delete table ip filter'],
    ['a second jump to us', 'add rule ip filter FORWARD counter packets 0 bytes 0 jump KUBE-FORWARD'],
    ['a chain', 'delete chain ip nat KUBE-SVC-3TNEVSQEVUCP4TQO'],
  ])('reports %s', async (_, line) => {
    const watched = new Watched()
    const running = watched.watch.run(watched.stop.signal)
    watched.transaction('nft', line)
    expect(watched.foreignChanges).toBe(1)
    watched.stop.abort()
    await running
  })

  test.each([
    ['chains of other programs', 'add rule ip nat DOCKER counter return'],
    ['the other family', 'delete rule ip6 nat KUBE-SERVICES handle 7'],
    ["kubelet's chains", 'add chain ip mangle KUBE-KUBELET-CANARY'],
    ['tables of other programs', 'delete table ip docker'],
    ['rules that other programs add beside ours', 'add rule ip filter FORWARD counter accept'],
  ])('does not report %s', async (_, line) => {
    const watched = new Watched()
    void watched.watch.run(watched.stop.signal)
    watched.transaction('iptables', line)
    expect(watched.foreignChanges).toBe(0)
    watched.stop.abort()
  })

  test('reports one gap: when it surely listens, at the start and after an end', async () => {
    const watched = new Watched()
    const running = watched.watch.run(watched.stop.signal)
    await watched.clock.advance(59_000)
    expect(watched.gaps).toBe(0)
    await watched.clock.advance(1000)
    expect(watched.gaps).toBe(1)
    await watched.clock.advance(3_600_000)
    expect(watched.gaps).toBe(1)
    await watched.ends(1)
    await watched.clock.advance(5000)
    expect(watched.starts.length).toBe(2)
    await watched.ends(1)
    await watched.clock.advance(5000)
    await watched.clock.advance(59_000)
    expect([watched.starts.length, watched.gaps]).toEqual([3, 1])
    await watched.clock.advance(1000)
    expect(watched.gaps).toBe(2)
    watched.stop.abort()
    await running
  })

  test('reports no gap where it ended, or was stopped, before', async () => {
    const watched = new Watched()
    const running = watched.watch.run(watched.stop.signal)
    await watched.clock.advance(30_000)
    watched.stop.abort()
    await running
    await watched.clock.advance(60_000)
    const absent = new Watched()
    const none = absent.watch.run(absent.stop.signal)
    await absent.ends(127)
    await none
    await absent.clock.advance(60_000)
    expect([watched.gaps, absent.gaps]).toEqual([0, 0])
  })

  test('reports no change of our own, and reports one by the same program when we are idle', async () => {
    const watched = new Watched()
    void watched.watch.run(watched.stop.signal)
    watched.busy = true
    watched.watch.expect(RESTORE)
    watched.transaction('iptables-nft-re', 'delete rule ip nat KUBE-SERVICES handle 7')
    expect(watched.foreignChanges).toBe(0)
    watched.transaction('iptables', 'delete rule ip nat KUBE-SERVICES handle 7')
    expect(watched.foreignChanges).toBe(1)
    watched.busy = false
    watched.transaction('iptables-nft-re', 'delete rule ip nat KUBE-SERVICES handle 8')
    expect(watched.foreignChanges).toBe(2)
    watched.stop.abort()
  })

  test('takes all blocks of one document for ours, and those of another process for foreign', async () => {
    const watched = new Watched()
    void watched.watch.run(watched.stop.signal)
    watched.busy = true
    watched.watch.expect(saveAll(TOOLS))
    watched.watch.expect(RESTORE)
    const blocks = [
      'create chain ip nat KUBE-SVC-X',
      'add rule ip nat KUBE-SERVICES counter',
      'delete chain ip nat KUBE-Y',
    ]
    for (const line of blocks) watched.transaction('iptables-nft-re 100', line)
    expect(watched.foreignChanges).toBe(0)
    watched.transaction('iptables-nft-re 101', 'delete rule ip nat KUBE-SERVICES handle 7')
    expect(watched.foreignChanges).toBe(1)
    watched.transaction('iptables-nft-re 100', blocks[0]!)
    expect(watched.foreignChanges).toBe(1)
    watched.watch.expect(RESTORE)
    watched.transaction('iptables-nft-re 102', blocks[0]!)
    expect(watched.foreignChanges).toBe(1)
    watched.stop.abort()
  })

  test('reports the program we use ourselves where it makes one transaction more than we did, while we are at it', async () => {
    const watched = new Watched(nftablesAlarm('ipv4'))
    void watched.watch.run(watched.stop.signal)
    watched.busy = true
    const change = 'delete element ip kube-proxy cluster-ips { 10.96.0.10 }'
    const write = applyLines([], 'ipv4')
    watched.watch.expect(listTable('ipv4', 'kube-proxy'))
    watched.watch.expect(write)
    watched.transaction('nft', change)
    expect(watched.foreignChanges).toBe(0)
    watched.transaction('nft 78', change)
    expect(watched.foreignChanges).toBe(1)
    watched.watch.expect(write)
    watched.watch.forgetExpected()
    watched.transaction('nft', change)
    expect(watched.foreignChanges).toBe(2)
    watched.stop.abort()
  })

  test('listens again when its program ends, and stops where the node has none', async () => {
    const watched = new Watched()
    const running = watched.watch.run(watched.stop.signal)
    expect(watched.watch.isListening).toBe(true)
    await watched.ends(1)
    expect(watched.watch.isListening).toBe(false)
    await watched.clock.advance(5000)
    expect([watched.watch.isListening, watched.starts.length]).toEqual([true, 2])
    await watched.ends(127)
    await running
    expect(watched.watch.isListening).toBe(false)
  })

  test('has nothing to watch where iptables is the legacy one', () => {
    expect(iptablesAlarm({ ...TOOLS, variant: 'legacy' })).toBeUndefined()
  })
})
