import { describe, expect, test } from 'vitest'
import type { PluginAnswer } from '#cni/answer.ts'
import { Work, type WorkDone } from '#cni/daemon/work.ts'
import type { PluginCall } from '#cni/protocol/decode.ts'
import { PaperClock } from '#lab/paper/clock.ts'

// A call, its turn, and a caller that may be gone by then.

const OK: PluginAnswer = { code: 0, stdout: '{}', stderr: '' }

function rig(answer: (call: PluginCall) => Promise<PluginAnswer> = () => Promise.resolve(OK)) {
  const clock = new PaperClock()
  const asked: string[] = []
  const done: WorkDone[] = []
  const work = new Work({
    clock,
    answer: call => {
      asked.push(`${call.env.CNI_COMMAND} ${call.env.CNI_CONTAINERID ?? ''}`.trim())
      return answer(call)
    },
  })
  const call = (command: string, container?: string): PluginCall => ({
    plugin: 'bridge',
    env: { CNI_COMMAND: command, ...(container !== undefined && { CNI_CONTAINERID: container }) },
    stdin: '{}',
  })
  const start = async (asked: PluginCall, isWanted: () => boolean): Promise<PluginAnswer> => {
    const finished = await work.do(asked, isWanted)
    done.push(finished)
    return finished.output
  }
  return { clock, asked, done, work, start, call }
}

const wanted = (): boolean => true
const gone = (): boolean => false

describe('a call', () => {
  test('is answered, and its time is counted from its arrival', async () => {
    const { clock, done, work, start, call } = rig(() => clock.sleep(5).then(() => OK))
    const answers = [start(call('ADD', 'a'), wanted), start(call('DEL', 'a'), wanted)]
    expect(work.underWay).toBe(2)
    await clock.advance(20)
    expect(await Promise.all(answers)).toEqual([OK, OK])
    expect(done.map(({ tookMs, waitedMs, abandoned }) => [tookMs, waitedMs, abandoned])).toEqual([
      [5, 0, 'no'],
      [10, 5, 'no'],
    ])
    expect(work.underWay).toBe(0)
  })

  test('without a container waits for none of those that have one, not even for GC', async () => {
    const { clock, start, call } = rig(({ env }) => clock.sleep(env.CNI_COMMAND === 'STATUS' ? 0 : 50).then(() => OK))
    const [, , status] = [start(call('ADD', 'a'), wanted), start(call('GC'), wanted), start(call('STATUS'), wanted)]
    await clock.advance(1)
    expect(await status).toEqual(OK)
    await clock.advance(200)
  })

  test('and what takes back a leak of its container are never at work together', async () => {
    const { clock, asked, work, start, call } = rig(() => clock.sleep(10).then(() => OK))
    const first = start(call('DEL', 'a'), wanted)
    const between = work.inTurn('a', async () => {
      asked.push('begun')
      await clock.sleep(10)
      asked.push('ended')
    })
    const rest = [start(call('ADD', 'a'), wanted), start(call('ADD', 'b'), wanted)]
    await clock.advance(100)
    await Promise.all([first, between, ...rest])
    expect(asked).toEqual(['DEL a', 'ADD b', 'begun', 'ended', 'ADD a'])
  })

  test('of a caller that is gone before its turn is not begun', async () => {
    const { asked, done, start, call } = rig()
    expect((await start(call('ADD', 'a'), gone)).code).not.toBe(0)
    expect([asked, done.map(({ abandoned }) => abandoned)]).toEqual([[], ['before']])
  })

  test('ADD whose caller goes meanwhile is taken back before anything else of its container', async () => {
    let isHere = true
    const { clock, asked, done, start, call } = rig(() => clock.sleep(5).then(() => OK))
    const add = start(call('ADD', 'a'), () => isHere)
    const next = start(call('CHECK', 'a'), wanted)
    await clock.advance(1)
    isHere = false
    await clock.advance(50)
    await Promise.all([add, next])
    expect(asked).toEqual(['ADD a', 'DEL a', 'CHECK a'])
    expect(done[0]!.abandoned).toBe('after')
  })

  test.each(['DEL', 'CHECK', 'GC'])('%s whose caller goes meanwhile stays done', async command => {
    let isHere = true
    const { clock, asked, start, call } = rig(() => clock.sleep(5).then(() => OK))
    const answer = start(call(command, command === 'GC' ? undefined : 'a'), () => isHere)
    await clock.advance(1)
    isHere = false
    await clock.advance(50)
    await answer
    expect(asked).toHaveLength(1)
  })

  test('ADD that failed has taken back its own', async () => {
    let isHere = true
    const { clock, asked, start, call } = rig(() => clock.sleep(5).then(() => ({ code: 1, stdout: '', stderr: '' })))
    const answer = start(call('ADD', 'a'), () => isHere)
    await clock.advance(1)
    isHere = false
    await clock.advance(50)
    await answer
    expect(asked).toEqual(['ADD a'])
  })
})
