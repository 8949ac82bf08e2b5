import { describe, expect, test } from 'vitest'
import { LIST_ADDRESSES, LIST_ROUTES } from '#dialects/ip.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { AddressWatch, readHostNetwork } from '#proxy/node/host-network.ts'
import type { Command, Follow, Kernel } from '#system/ports.ts'

const addressed = (...ips: readonly string[]) =>
  JSON.stringify([{ ifname: 'eth0', addr_info: ips.map(local => ({ local })) }])
const words = ({ argv }: Command) => argv.join(' ')

/** A host that answers some questions; every other one fails. */
function host(answers: Readonly<Record<string, string>>): Kernel & { readonly asked: readonly string[] } {
  const asked: string[] = []
  return {
    asked,
    run: async command => {
      asked.push(words(command))
      const stdout = answers[words(command)] ?? (command.argv[0] === 'ip' ? undefined : answers.liberal)
      return stdout === undefined ? { code: 1, stdout: '', stderr: 'no' } : { code: 0, stdout, stderr: '' }
    },
  }
}

const ADDRESSES = { [words(LIST_ADDRESSES)]: addressed('127.0.0.1', '10.99.0.2', 'fd00:99::2') }

describe('a host is asked', () => {
  test('for its addresses, by family', async () => {
    expect(await readHostNetwork(host(ADDRESSES), {})).toEqual({
      addresses: { ipv4: ['10.99.0.2', '127.0.0.1'], ipv6: ['fd00:99::2'] },
      liberalConntrack: false,
    })
  })

  test.each([
    ['0\n', false],
    ['1\n', true],
  ])('whether its conntrack is liberal: %j', async (liberal, expected) => {
    expect((await readHostNetwork(host({ ...ADDRESSES, liberal }), {})).liberalConntrack).toBe(expected)
  })

  test('for routes only where a mode needs them', async () => {
    const kernel = host({
      ...ADDRESSES,
      [words(LIST_ROUTES.ipv4)]: JSON.stringify([{ dst: '10.97.0.0/24', dev: 'eth0' }]),
    })
    expect(await readHostNetwork(kernel, {})).not.toHaveProperty('routes')
    expect(kernel.asked).not.toContain(words(LIST_ROUTES.ipv4))
    expect((await readHostNetwork(kernel, { serviceRanges: true })).routes).toEqual({
      ipv4: ['10.97.0.0/24'],
      ipv6: [],
    })
  })

  test('again: what is the same is the same object, so nothing follows from it', async () => {
    const known = await readHostNetwork(host(ADDRESSES), {})
    expect(await readHostNetwork(host(ADDRESSES), {}, known)).toBe(known)
    const more = host({ [words(LIST_ADDRESSES)]: addressed('10.99.0.3') })
    expect((await readHostNetwork(more, {}, known)).addresses.ipv4).toEqual(['10.99.0.3'])
  })

  test('in vain: what was known of addresses and routes stays', async () => {
    const routes = { [words(LIST_ROUTES.ipv4)]: JSON.stringify([{ dst: '10.97.0.0/24', dev: 'eth0' }]) }
    const known = await readHostNetwork(host({ ...ADDRESSES, ...routes }), { serviceRanges: true })
    expect(await readHostNetwork(host({}), { serviceRanges: true }, known)).toBe(known)
    const unreadable = Object.fromEntries(
      Object.keys({ ...ADDRESSES, ...routes }).map(command => [command, '[{"ifname":']),
    )
    expect(await readHostNetwork(host(unreadable), { serviceRanges: true }, known)).toBe(known)
  })
})

describe('a watch of addresses', () => {
  /** A program that reports a change when a test says so. */
  function watched(needs = {}) {
    const clock = new PaperClock()
    const seen = { change: () => {}, stops: 0, command: '' }
    const follow: Follow = (argv, onLine) => {
      seen.command = argv.join(' ')
      seen.change = () => onLine('')
      return { stop: async () => void seen.stops++ } as ReturnType<Follow>
    }
    return { clock, seen, watch: new AddressWatch(follow, clock, needs) }
  }

  async function endsAfter({ clock, watch }: Pick<ReturnType<typeof watched>, 'clock' | 'watch'>, happens = () => {}) {
    const started = clock.now()
    let at: number | undefined
    const waiting = watch.changeOr(30_000, new AbortController().signal).then(() => {
      at = clock.now() - started
    })
    await clock.advance(1000)
    happens()
    await clock.advance(60_000)
    await waiting
    return at
  }

  test('ends after its time, where nothing changes', async () => expect(await endsAfter(watched())).toBe(30_000))

  test('ends a moment after a change, and many that come together are one', async () => {
    const one = watched()
    const changes = () => {
      one.seen.change()
      one.seen.change()
    }
    expect(await endsAfter(one, changes)).toBe(1100)
    expect(await endsAfter(one)).toBe(30_000)
  })

  test('ends at once after a change that came before it', async () => {
    const one = watched()
    one.seen.change()
    expect(await endsAfter(one)).toBe(100)
  })

  test('watches routes as well where a mode needs them, and stops its program', () => {
    const { seen, watch } = watched({ serviceRanges: true })
    expect([seen.command.includes('route'), watched().seen.command.includes('route')]).toEqual([true, false])
    watch.stop()
    expect(seen.stops).toBe(1)
  })

  test('goes by time alone where no program can be followed', async () => {
    const clock = new PaperClock()
    expect(await endsAfter({ clock, watch: new AddressWatch(undefined, clock, {}) })).toBe(30_000)
  })
})
