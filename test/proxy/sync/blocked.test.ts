import { beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { Book } from '#proxy/plan/book.ts'
import { emptied } from '#proxy/plan/diff.ts'
import { Sync } from '#proxy/sync/sync.ts'
import { ruleset, unit, unitSet } from '../../support/units.ts'

// A chain that should be deleted, and a foreign rule that jumps to it.

const SVC = 'KUBE-SVC-AAAAAAAAAAAAAAAA'
const SEP = 'KUBE-SEP-AAAAAAAAAAAAAAAA'
const OTHER = 'KUBE-SEP-BBBBBBBBBBBBBBBB'

describe.each(['nft', 'legacy'] as const)('iptables-%s', variant => {
  const name = `iptables-${variant}`
  const mode: Mode = iptables({ family: 'ipv4', variant, restore: `${name}-restore`, save: `${name}-save` })
  let kernel: PaperKernel
  let book: Book
  let sync: Sync

  beforeEach(async () => {
    kernel = new PaperKernel()
    book = new Book()
    sync = new Sync(mode, kernel, { clock: new PaperClock() })
    book.put('shop/cart', [
      { unit: unit(`nat ${SEP}`), text: `-A ${SEP} -p tcp -m tcp -j DNAT --to-destination 10.1.0.1:8080` },
      { unit: unit(`nat ${SVC}`), text: `-A ${SVC} -j ${SEP}` },
    ])
    await sync.run(book)
    await run('-N', 'FOREIGN')
    await run('-A', 'FOREIGN', '-d', '10.9.9.9/32', '-j', SVC)
  })

  async function run(...words: readonly string[]): Promise<void> {
    const outcome = await kernel.run(anyCommand([name, '-t', 'nat', ...words]))
    expect(outcome).toMatchObject({ code: 0 })
  }

  async function rules(): Promise<readonly string[]> {
    const { stdout } = await kernel.run(anyCommand([`${name}-save`, '-t', 'nat']))
    return stdout.split('\n').filter(line => /^(?:-A|:[A-Z]*-?(?:KUBE|FOREIGN))/.test(line))
  }

  const BLOCKED = [':FOREIGN - [0:0]', `:${SVC} - [0:0]`, `-A FOREIGN -d 10.9.9.9/32 -j ${SVC}`].sort()

  test('it stands empty, the foreign rule is reported, and everything else is written', async () => {
    book.remove('shop/cart')
    book.put('shop/till', [{ unit: unit(`nat ${OTHER}`), text: `-A ${OTHER} -j RETURN` }])
    const { blocked, plan } = await sync.run(book)
    expect(blocked).toEqual([{ unit: `nat ${SVC}`, by: `-A FOREIGN -d 10.9.9.9/32 -j ${SVC}` }])
    expect([...plan.remove]).toEqual([`nat ${SEP}`])
    expect([...(await rules())].sort()).toEqual([`:${OTHER} - [0:0]`, `-A ${OTHER} -j RETURN`, ...BLOCKED].sort())
  })

  test('the next change costs no read and no second report of it', async () => {
    book.remove('shop/cart')
    await sync.run(book)
    book.put('shop/till', [{ unit: unit(`nat ${OTHER}`), text: `-A ${OTHER} -j RETURN` }])
    expect(await sync.run(book)).toMatchObject({ looked: false, blocked: [], commands: 1 })
    sync.forget()
    expect(await sync.run(book)).toMatchObject({ looked: true, blocked: [], drift: [], commands: 0 })
  })

  test('it is deleted at the first read after the foreign rule is gone', async () => {
    book.remove('shop/cart')
    await sync.run(book)
    await run('-F', 'FOREIGN')
    sync.forget()
    const { plan } = await sync.run(book)
    expect([...plan.remove]).toEqual([`nat ${SVC}`])
    expect(await rules()).toEqual([':FOREIGN - [0:0]'])
  })

  test('it is filled again when it is wanted again', async () => {
    book.remove('shop/cart')
    await sync.run(book)
    book.put('shop/cart', [{ unit: unit(`nat ${SVC}`), text: `-A ${SVC} -j RETURN` }])
    expect(await sync.run(book)).toMatchObject({ looked: false, blocked: [] })
    expect([...(await rules())].sort()).toEqual([`-A ${SVC} -j RETURN`, ...BLOCKED].sort())
  })

  test('one that was there before us is emptied without a failure on the way', async () => {
    const late = new Sync(mode, kernel, { clock: new PaperClock() })
    const before = kernel.commands.length
    const { blocked } = await late.run(new Book())
    expect(blocked.map(({ unit }) => unit)).toEqual([`nat ${SVC}`])
    const restores = kernel.commands.slice(before).filter(({ argv }) => argv[0].endsWith('restore'))
    expect(restores).toHaveLength(1)
    expect([...(await rules())].sort()).toEqual(BLOCKED)
  })

  test('foreign rules are left alone, whatever they jump to', async () => {
    await run('-A', 'FOREIGN', '-j', SEP)
    await run('-A', 'PREROUTING', '-d', '10.9.9.8/32', '-j', SVC)
    const before = await rules()
    sync.forget()
    expect(await sync.run(book)).toMatchObject({ looked: true, commands: 0 })
    expect(await rules()).toEqual(before)
  })

  test('a removal that is refused for any other reason is a failure', async () => {
    await run('-F', 'FOREIGN')
    book.remove('shop/cart')
    kernel.failNext()
    await expect(sync.run(book)).rejects.toThrow('Another app is currently holding the xtables lock')
    expect(await sync.run(book)).toMatchObject({ looked: true, blocked: [] })
    expect(await rules()).toEqual([':FOREIGN - [0:0]'])
  })
})

describe('a plan with blocked units', () => {
  const installed = ruleset({ a: 'text', b: '', c: 'text' })
  const plan = {
    add: new Map(),
    change: ruleset({ d: 'new' }),
    before: ruleset({ d: 'old' }),
    remove: unitSet('a', 'b', 'c'),
  }

  test('empties them and leaves the rest of the plan as it is', () => {
    expect(emptied(plan, unitSet('a', 'b', 'elsewhere'), installed)).toEqual({
      add: new Map(),
      change: new Map([
        ['d', 'new'],
        ['a', ''],
      ]),
      before: new Map([
        ['d', 'old'],
        ['a', 'text'],
      ]),
      remove: new Set(['c']),
    })
  })

  test('stays as it is where nothing is blocked', () => {
    expect(emptied(plan, [], installed)).toEqual(plan)
  })
})
