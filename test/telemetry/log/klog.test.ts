import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Log, type LogOptions, openLog } from '#telemetry/log/klog.ts'

const AT = new Date(2026, 10, 21, 0, 33, 18).getTime() + 431.356

function logging(options: Partial<LogOptions> = {}): { readonly log: Log; readonly lines: string[]; now: number } {
  const lines: string[] = []
  const written = { write: (line: string) => lines.push(line) }
  const state = { lines, now: AT, log: undefined as unknown as Log }
  state.log = openLog({
    format: 'text',
    verbosity: 0,
    sink: written,
    clock: { now: () => state.now },
    pid: 26109,
    ...options,
  })
  return state
}

function verbosityOf(log: Log): number {
  return [9, 8, 7, 6, 5, 4, 3, 2, 1].find(level => log.v(level)) ?? 0
}

/** What one call writes. */
function said(speak: (log: Log) => void, options?: Partial<LogOptions>): string {
  const { log, lines } = logging(options)
  speak(log.at('lane.ts:41'))
  return lines.join('')
}

const HEADER = '1121 00:33:18.431356   26109 lane.ts:41] '

describe('text', () => {
  test('a sentence stands alone behind the header', () => {
    const line = 'Adding new service "default/db-service:3306" at 10.103.132.104:3306/TCP'
    expect(said(log => log.say(line))).toBe(`I${HEADER}${line}\n`)
  })

  test('a message is quoted and its pairs follow', () => {
    expect(said(log => log.info(0, 'Sync params', { minSyncPeriod: '1s', families: ['IPv4'] }))).toBe(
      `I${HEADER}"Sync params" minSyncPeriod="1s" families=["IPv4"]\n`,
    )
  })

  test('an error comes first', () => {
    const bound = (log: Log) => log.with({ ipFamily: 'IPv4' })
    expect(said(log => bound(log).error('Sync failed', new Error('busy'), { in: '1s', err: 'other' }))).toBe(
      `E${HEADER}"Sync failed" err="busy" ipFamily="IPv4" in="1s"\n`,
    )
    expect(said(log => log.error('Sync failed', undefined))).toBe(`E${HEADER}"Sync failed"\n`)
  })

  test('a warning without pairs is a sentence', () => {
    expect(said(log => log.warning('Flag --x has been deprecated'))).toBe(`W${HEADER}Flag --x has been deprecated\n`)
    expect(said(log => log.warning('Odd', { port: 1 }))).toBe(`W${HEADER}"Odd" port=1\n`)
    expect(said(log => log.with({ a: 1 }).warning('Odd'))).toBe(`W${HEADER}"Odd" a=1\n`)
  })

  test('bound pairs come first and may be replaced', () => {
    expect(said(log => log.with({ a: 1, b: 2 }).with({ c: 3 }).info(0, 'm', { b: 4, d: 5 }))).toBe(
      `I${HEADER}"m" a=1 b=4 c=3 d=5\n`,
    )
  })

  test('without a site from the build, the header names the file and line of the call', () => {
    const { log, lines } = logging()
    log.say('x')
    expect(lines).toEqual([expect.stringMatching(/^I1121 00:33:18\.431356 {3}26109 klog\.test\.ts:\d+\] x\n$/)])
  })

  test('a long pid is not cut, and the time goes on', () => {
    const state = logging({ pid: 123456789 })
    state.log.say('a')
    state.now = AT + 568.645
    state.log.say('b')
    state.now = AT - 60_000
    state.log.say('c')
    expect(state.lines.map(line => line.slice(0, 32))).toEqual([
      'I1121 00:33:18.431356 123456789 ',
      'I1121 00:33:19.000001 123456789 ',
      'I1121 00:32:18.431356 123456789 ',
    ])
  })
})

describe('verbosity', () => {
  test('decides what is logged, and can be asked', () => {
    const { log, lines } = logging({ verbosity: 2 })
    for (const v of [0, 1, 2, 3, 9]) log.info(v, `level ${v}`)
    expect(lines.map(line => /"(.*)"/.exec(line)?.[1])).toEqual(['level 0', 'level 1', 'level 2'])
    expect([log.v(2), log.v(3)]).toEqual([true, false])
  })

  test('errors, warnings and sentences are always logged', () => {
    const { log, lines } = logging({ verbosity: 0 })
    log.say('a')
    log.warning('b')
    log.error('c', 'd')
    expect(lines).toHaveLength(3)
  })

  test('values are not looked at where nothing is logged', () => {
    const { log, lines } = logging()
    log.info(1, 'm', {
      get costly(): string {
        throw new Error('looked at')
      },
    } satisfies Record<string, string>)
    expect(lines).toEqual([])
  })

  test.each([
    ['lane', 'lane.ts:41', 5],
    ['lan?', 'lane.ts:41', 5],
    ['l*', 'lane.ts:41', 5],
    ['lane.ts', 'lane.ts:41', 0],
    ['lane', 'plane.ts:41', 0],
    ['reflect*', 'lane.ts:41', 0],
    ['a.b', 'axb.ts:1', 0],
    ['*', '???:1', 5],
  ])('--vmodule %s=5 gives %s the verbosity %d', (pattern, site, verbosity) => {
    const { log } = logging({ vmodule: [{ pattern, verbosity: 5 }] })
    expect(verbosityOf(log.at(site))).toBe(verbosity)
    expect(verbosityOf(log.at(site).with({}))).toBe(verbosity)
  })

  test('the first pattern that matches counts', () => {
    const vmodule = [
      { pattern: 'la*', verbosity: 1 },
      { pattern: 'lane', verbosity: 9 },
    ]
    expect(verbosityOf(logging({ vmodule }).log.at('lane.ts:1'))).toBe(1)
  })

  test('--vmodule without a site from the build goes by the file that calls', () => {
    const { log, lines } = logging({ vmodule: [{ pattern: 'klog.test', verbosity: 5 }] })
    expect(verbosityOf(log)).toBe(5)
    log.info(5, 'shown')
    log.at('lane.ts:41').info(5, 'not shown')
    expect(lines).toEqual([expect.stringMatching(/"shown"/)])
  })
})

describe('JSON', () => {
  const json = { format: 'json' } as const
  const TS = Math.round(AT * 1000) / 1000

  test("has klog's fields in klog's order", () => {
    const line = said(log => log.with({ ipFamily: 'IPv4' }).info(1, 'Updated', { gates: {}, n: 2 }), {
      ...json,
      verbosity: 1,
    })
    expect(line).toBe(`{"ts":${TS},"caller":"lane.ts:41","msg":"Updated","v":1,"ipFamily":"IPv4","gates":{},"n":2}\n`)
  })

  test('an error has err and no v', () => {
    expect(said(log => log.error('Sync failed', new Error('busy'), { in: '1s' }), json)).toBe(
      `{"ts":${TS},"caller":"lane.ts:41","msg":"Sync failed","err":"busy","in":"1s"}\n`,
    )
  })

  test('a sentence is the message', () => {
    expect(said(log => log.with({ a: 1 }).say('Adding "x"'), json)).toBe(
      `{"ts":${TS},"caller":"lane.ts:41","msg":"Adding \\"x\\"","v":0,"a":1}\n`,
    )
  })

  test('nothing is logged above the verbosity', () => {
    expect(said(log => log.info(1, 'm'), json)).toBe('')
  })

  test('values keep their kind, and what JSON cannot hold is text', () => {
    const pairs = {
      list: [1],
      map: new Map([['a', new Error('x')]]),
      gone: undefined,
      none: null,
      lines: 'a\nb',
      big: 1n,
    }
    const parsed = JSON.parse(said(log => log.info(0, 'm', pairs), json))
    expect(parsed).toMatchObject({ list: [1], map: { a: 'x' }, none: null, lines: 'a\nb', big: '1' })
    expect(parsed).not.toHaveProperty('gone')
  })
})

test.each(['text', 'json'] as const)(
  'whatever is said in %s is one line, or lines that cannot pass for one',
  format => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constant('\nI1121 00:00:00.000000       1 x.ts:1] forged'),
    )
    fc.assert(
      fc.property(hostile, hostile, (message, value) => {
        for (const speak of [
          (log: Log) => log.say(message),
          (log: Log) => log.warning(message),
          (log: Log) => log.info(0, message, { value, [message]: 1 }),
          (log: Log) => log.error(message, new Error(value)),
        ]) {
          const written = said(speak, { format })
          expect(written.endsWith('\n')).toBe(true)
          const [, ...rest] = written.slice(0, -1).split(/[\n\r\v\f\u0085\u2028\u2029]/)
          expect(rest.filter(line => !/^\t| >/.test(line))).toEqual([])
          if (format === 'json') expect(() => JSON.parse(written)).not.toThrow()
        }
      }),
    )
  },
)
