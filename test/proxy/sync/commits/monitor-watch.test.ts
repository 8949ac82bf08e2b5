import { describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { MonitorWatch } from '#proxy/sync/commits/monitor-watch.ts'
import type { Commit, Follow } from '#system/ports.ts'

class Followed {
  gaps = 0
  readonly commits: Commit[] = []
  speak: (line: string) => void = () => {}
  readonly starts: (readonly string[])[] = []
  readonly clock = new PaperClock()
  readonly watch: MonitorWatch
  readonly stop: () => void
  #end: (code: number) => void = () => {}

  constructor() {
    const follow: Follow = (argv, onLine) => {
      this.starts.push(argv)
      this.speak = onLine
      const ended = new Promise<{ code: number; stderr: string }>(resolve => {
        this.#end = code => resolve({ code, stderr: '' })
      })
      return { ended, stop: async () => this.#end(143) }
    }
    this.watch = new MonitorWatch({ follow, clock: this.clock })
    this.stop = this.watch.listen({ commit: commit => this.commits.push(commit), gap: () => this.gaps++ })
  }

  async ends(code: number): Promise<void> {
    this.#end(code)
    await this.clock.advance(0)
  }
}

describe('nft monitor as a watch', () => {
  test('makes a commit of the lines of a transaction, each touch once', () => {
    const here = new Followed()
    here.speak('delete rule ip nat KUBE-SERVICES handle 7')
    here.speak('delete rule ip nat KUBE-SERVICES handle 8')
    here.speak('add chain ip nat DOCKER')
    expect(here.commits).toEqual([])
    here.speak('# new generation 5 by process 77 (iptables)')
    here.speak('# new generation 6 by process 78 (nft)')
    expect(here.commits).toMatchObject([
      { generation: 5, process: 77, program: 'iptables', touches: [{ name: 'KUBE-SERVICES' }, { name: 'DOCKER' }] },
      { generation: 6, process: 78, program: 'nft', touches: [] },
    ])
    expect(here.starts).toEqual([['nft', 'monitor']])
    here.stop()
  })

  test('reports one gap: when it surely listens, at the start and after an end', async () => {
    const here = new Followed()
    await here.clock.advance(59_000)
    expect(here.gaps).toBe(0)
    await here.clock.advance(1000)
    expect(here.gaps).toBe(1)
    await here.clock.advance(3_600_000)
    expect(here.gaps).toBe(1)
    await here.ends(1)
    await here.clock.advance(5000)
    expect(here.starts.length).toBe(2)
    await here.ends(1)
    await here.clock.advance(5000)
    await here.clock.advance(59_000)
    expect([here.starts.length, here.gaps]).toEqual([3, 1])
    await here.clock.advance(1000)
    expect(here.gaps).toBe(2)
    here.stop()
  })

  test('reports no gap where it ended, or was stopped, before', async () => {
    const here = new Followed()
    await here.clock.advance(30_000)
    here.stop()
    await here.clock.advance(60_000)
    expect([here.gaps, here.watch.isListening]).toEqual([0, false])
  })

  test('reports one gap where the node turns out to have no such program: it was taken for listening', async () => {
    const absent = new Followed()
    expect(absent.watch.isListening).toBe(true)
    await absent.ends(127)
    await absent.clock.advance(120_000)
    expect([absent.gaps, absent.watch.isListening]).toEqual([1, false])
  })

  test('listens again when its program ends, and stops where the node has none', async () => {
    const here = new Followed()
    expect(here.watch.isListening).toBe(true)
    await here.ends(1)
    expect(here.watch.isListening).toBe(false)
    await here.clock.advance(5000)
    expect([here.watch.isListening, here.starts.length]).toEqual([true, 2])
    await here.ends(127)
    await here.clock.advance(5000)
    expect([here.watch.isListening, here.starts.length]).toEqual([false, 2])
  })

  test('runs once, however many listen, until the last of them stops', async () => {
    const here = new Followed()
    const second: Commit[] = []
    const leave = here.watch.listen({ commit: commit => second.push(commit), gap: () => {} })
    expect(here.starts.length).toBe(1)
    here.stop()
    here.speak('# new generation 5 by process 77 (nft)')
    expect([here.commits.length, second.length, here.watch.isListening]).toEqual([0, 1, true])
    leave()
    await here.clock.advance(0)
    expect(here.watch.isListening).toBe(false)
  })
})
