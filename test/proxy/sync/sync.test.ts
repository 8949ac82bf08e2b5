import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { Book } from '#proxy/plan/book.ts'
import { Sync } from '#proxy/sync/sync.ts'
import { textNumber } from '#values/digest.ts'
import { part, ruleset, unit, unitText } from '../../support/units.ts'
import { LineKernel, type LineModeOptions, lineMode } from './line-mode.ts'

/** A sync of a book, with what an owner wants of it. */
function scene(options?: LineModeOptions, isExact = false) {
  const kernel = new LineKernel()
  const book = new Book()
  const sight = { isExact, dump: () => undefined }
  const sync = new Sync(lineMode(kernel, options), kernel, { clock: new PaperClock(), sight })
  const wants = (texts: Readonly<Record<string, string>>, owner = 'a') =>
    book.put(
      owner,
      [...ruleset(texts)].map(([unit, text]) => ({ unit, text })),
    )
  const run = async () => {
    const { drift, ...done } = await sync.run(book)
    return { ...done, drift: drift.map(unitText), ran: kernel.took() }
  }
  return { kernel, book, sync, wants, run }
}

describe('a run', () => {
  test('reads the kernel first, and afterwards writes what has changed and nothing else', async () => {
    const { kernel, wants, run } = scene()
    kernel.rules.set('old', '1')
    wants({ a: '1', b: '1' })
    expect(await run()).toMatchObject({ looked: true, drift: [], ran: ['read', '+a 1', '+b 1', '-old'] })
    wants({ a: '2', b: '1' })
    expect(await run()).toMatchObject({ looked: false, ran: ['+a 2'], commands: 1 })
    expect(await run()).toMatchObject({ looked: false, ran: [], commands: 0 })
  })

  test('that failed half way is no drift: the next one reads what stands, and does the rest', async () => {
    const { kernel, wants, run } = scene()
    await run()
    kernel.failsAfter = 1
    wants({ a: '1', b: '1', c: '1' })
    await expect(run()).rejects.toThrow('xtables lock')
    expect(kernel.took()).toEqual(['+a 1', '+b 1'])
    expect(await run()).toMatchObject({ looked: true, drift: [], ran: ['read', '+b 1', '+c 1'] })
  })

  test('restores what another program has changed, and reports it', async () => {
    const { kernel, sync, wants, run } = scene()
    wants({ a: '1', b: '1' })
    await run()
    kernel.rules.set('a', 'theirs').delete('b')
    kernel.rules.set('x', '')
    expect(await run()).toMatchObject({ ran: [] })
    sync.forget()
    expect(sync.isKnown).toBe(false)
    expect(await run()).toMatchObject({ looked: true, drift: ['b', 'a', 'x'], ran: ['read', '+b 1', '+a 1', '-x'] })
  })

  test('does not believe what it read while it was to forget', async () => {
    const { kernel, sync, wants, run } = scene()
    const { run: runs } = kernel
    kernel.run = command => {
      if (command.argv[0] === 'write') sync.forget()
      return runs(command)
    }
    wants({ a: '1' })
    expect(await run()).toMatchObject({ looked: false, ran: ['read', '+a 1'] })
    expect(sync.isKnown).toBe(false)
    kernel.run = runs
    expect(await run()).toMatchObject({ looked: true })
  })
})

describe('what is in doubt', () => {
  const SHARED = { shared: new Set(['line']) }

  test('is read alone, where parts are known, and the rest is believed', async () => {
    const { kernel, sync, wants, run } = scene(SHARED)
    wants({ a: '1', line: '', b: '1' })
    await run()
    for (const name of ['a', 'b', 'line']) kernel.rules.set(name, 'theirs')
    sync.doubt([part('a'), part('shared')])
    expect(await run()).toMatchObject({
      looked: false,
      doubted: 2,
      drift: ['a', 'line'],
      ran: ['read a shared', '+a 1', '+line'],
    })
    expect(kernel.rules.get('b')).toBe('theirs')
  })

  test('is what a failed run had set out to write, where every other commit is heard', async () => {
    const { kernel, wants, run } = scene(SHARED, true)
    await run()
    kernel.failsAfter = 1
    wants({ a: '1', b: '1' })
    await expect(run()).rejects.toThrow()
    kernel.took()
    expect(await run()).toMatchObject({ looked: false, drift: [], ran: ['read a b', '+b 1'] })
  })

  test('is everything where foreign rules could not be read: what was in doubt was read in vain', async () => {
    const { kernel, sync, wants, run } = scene({ ...SHARED, readsAll: true })
    wants({ a: '1' })
    await run()
    kernel.rules.set('a', 'theirs').set('x', '')
    sync.doubt([part('a'), part('x')])
    kernel.refusesForeignRules = true
    await expect(run()).rejects.toThrow()
    kernel.refusesForeignRules = false
    expect(await run()).toMatchObject({ looked: true })
    expect(kernel.units).toEqual(ruleset({ a: '1' }))
  })

  test('is everything after two failures', async () => {
    const { kernel, wants, run, sync } = scene(SHARED, true)
    await run()
    wants({ a: '1' })
    for (let i = 0; i < 2; i++) {
      kernel.failsAfter = 0
      await expect(run()).rejects.toThrow()
    }
    expect(sync.isKnown).toBe(false)
  })
})

describe('what another process kept', () => {
  const KEPT = new Map([
    [unit('a'), textNumber('1')],
    [unit('b'), textNumber('old')],
    [unit('gone'), textNumber('')],
  ])

  test('is believed as it stands, and only what is wanted otherwise is written', async () => {
    const { kernel, book, sync, wants, run } = scene()
    for (const name of ['a', 'b', 'gone']) kernel.rules.set(name, '1')
    wants({ a: '1', b: '1', c: '1' })
    sync.resume(KEPT, book, 'all')
    const { ran, ...done } = await run()
    expect(done).toMatchObject({ looked: false, drift: [] })
    expect([...ran].sort()).toEqual(['+b 1', '+c 1', '-gone'])
  })
})

describe('certain is', () => {
  test('what is installed, between runs', async () => {
    const { sync, wants, run } = scene()
    expect(sync.certain).toBeUndefined()
    wants({ a: '1' })
    await run()
    expect(sync.certain).toEqual(ruleset({ a: '1' }))
  })

  test('nothing while a run goes on, after a failure, or in doubt', async () => {
    const { kernel, book, sync, wants, run } = scene({}, true)
    await run()
    wants({ a: '1' })
    const running = sync.run(book)
    expect(sync.certain).toBeUndefined()
    await running
    expect(sync.certain).toBeDefined()
    sync.doubt([part('a')])
    expect(sync.certain).toBeUndefined()
    await run()
    kernel.failsAfter = 0
    wants({ a: '2' })
    await expect(run()).rejects.toThrow()
    expect(sync.certain).toBeUndefined()
  })
})

test('whatever happens on the way, a run that succeeds leaves the kernel as the book wants it', async () => {
  const names = fc.constantFrom('a', 'b', 'c', 'line')
  const texts = fc.constantFrom('1', '2')
  const wanted = fc.dictionary(names, texts)
  const step = fc.oneof(
    fc.record({ do: fc.constant('want' as const), owner: fc.constantFrom('a', 'b'), texts: wanted }),
    fc.record({ do: fc.constant('fail' as const), after: fc.nat(3) }),
    fc.record({ do: fc.constant('touch' as const), name: names, text: fc.option(texts, { nil: undefined }) }),
    fc.record({ do: fc.constant('forget' as const) }),
    fc.record({ do: fc.constant('audit' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.boolean(), async (steps, hasParts) => {
      const { kernel, book, sync, wants } = scene(hasParts ? { shared: new Set(['line']) } : undefined, hasParts)
      for (const one of steps) {
        if (one.do === 'want') wants(one.texts, one.owner)
        else if (one.do === 'fail') kernel.failsAfter = one.after
        else if (one.do === 'forget') sync.forget()
        else if (one.do === 'audit') await sync.audit()
        else {
          if (one.text === undefined) kernel.rules.delete(one.name)
          else kernel.rules.set(one.name, one.text)
          // Every change of another program is heard, or an audit is to come.
          if (hasParts) sync.doubt([part(one.name === 'line' ? 'shared' : one.name)])
          else sync.forget()
        }
        const isDone = await sync.run(book).then(
          () => true,
          () => false,
        )
        if (isDone) expect(kernel.units).toEqual(new Map(book.rules))
      }
    }),
  )
})
