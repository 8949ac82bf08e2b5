import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { whyNot } from '../ground.ts'
import { type Call, type Said, SideBySide } from './reference-host-local.ts'

// Debian's host-local and ours, asked the same: where the reference is right, ours prints the same bytes.

const why = await whyNot(['ip', '/usr/lib/cni/host-local'])

describe.skipIf(why !== undefined)(
  `host-local beside the reference plugin${why === undefined ? '' : ` (${why})`}`,
  () => {
    let both: SideBySide
    beforeEach(() => {
      both = new SideBySide()
    })
    afterEach(() => both.end())

    const same = async (call: Call): Promise<Said> => {
      const { reference, ours } = await both.call(call)
      expect({ ...ours }).toMatchObject({ stdout: reference.stdout, code: reference.code })
      return ours
    }

    /** The message is the same; a code says more than 999, and details help. */
    const sameMessage = async (call: Call): Promise<void> => {
      const { reference, ours } = await both.call(call)
      expect([ours.code, JSON.parse(ours.stdout).msg]).toEqual([reference.code, JSON.parse(reference.stdout).msg])
    }

    test.each(['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0'])(
      'prints the same in version %s',
      async cniVersion => {
        const resolvConf = join(both.folder, 'resolv.conf')
        writeFileSync(resolvConf, 'nameserver 10.96.0.10\nsearch a.b c.d\ndomain e.f\noptions ndots:5 rotate\n')
        const routes = [
          { dst: '0.0.0.0/0' },
          { dst: '::/0', gw: 'fd00:66::9' },
          { dst: '10.3.0.0/16', gw: '10.66.0.9' },
        ]
        const ranges = [[{ subnet: '10.66.0.0/24' }], [{ subnet: 'fd00:66::/64', gateway: 'fd00:66::f' }]]
        const config = { cniVersion, ipam: { ranges, routes, resolvConf } }
        await same({ command: 'ADD', container: 'c1', config })
        await same({ command: 'ADD', container: 'c2', config, args: 'IgnoreUnknown=1;K8S_POD_NAME=web' })
        await same({ command: 'ADD', container: 'c3', config })
        await same({ command: 'DEL', container: 'c1', config })
        await same({ command: 'DEL', container: 'c1', config })
        await same({ command: 'ADD', container: 'c1', config, args: 'IP=10.66.0.77' })
        await sameMessage({ command: 'ADD', container: 'c4', config, args: 'IP=10.66.0.1' })
        const asked = { ...config, args: { cni: { ips: ['10.66.0.99'] } }, runtimeConfig: { ips: ['fd00:66::99/64'] } }
        await same({ command: 'ADD', container: 'c5', config: asked })
      },
    )

    test.each(['0.4.0', '1.0.0'])('checks the same in version %s', async cniVersion => {
      const config = { cniVersion, ipam: { subnet: '10.66.0.0/24' } }
      const { stdout } = await same({ command: 'ADD', container: 'c1', config })
      await same({ command: 'CHECK', container: 'c1', config: { ...config, prevResult: JSON.parse(stdout) } })
      await same({ command: 'DEL', container: 'c1', config })
      await sameMessage({ command: 'CHECK', container: 'c1', config: { ...config, prevResult: JSON.parse(stdout) } })
    })

    const small = { subnet: '10.66.0.0/24' }
    test.each<[object, Partial<Call>]>([
      [{}, {}],
      [{ subnet: '10.66.0.1/24' }, {}],
      [{ subnet: '10.66.0.0/31' }, {}],
      [{ subnet: '10.66.0/24' }, {}],
      [{ subnet: '' }, {}],
      [{ subnet: 'fd00::/127' }, {}],
      [{ ...small, rangeStart: '10.66.1.1' }, {}],
      [{ ...small, rangeEnd: '10.66.1.1' }, {}],
      [{ ...small, rangeStart: '10.66.0.50', rangeEnd: '10.66.0.40' }, {}],
      [{ ...small, gateway: 'x' }, {}],
      [{ rangeStart: '10.66.0.1' }, {}],
      [{ ranges: [] }, {}],
      [{ ranges: [[]] }, {}],
      [{ ranges: [[small, { subnet: 'fd00::/64' }]] }, {}],
      [{ ranges: [[small, { subnet: '10.66.0.0/25' }]] }, {}],
      [{ ranges: [[small], [{ subnet: '10.66.0.128/25' }]] }, {}],
      [{ ...small, ranges: [[small]] }, {}],
      [small, { args: 'IP=10.66.0.1' }],
      [small, { args: 'IP=10.66.1.5' }],
      [small, { args: 'IP=x' }],
      [small, { args: 'IP' }],
      [small, { args: 'FOO=1;BAR=2' }],
      [{ ...small, rangeEnd: '10.66.0.1', gateway: '10.66.0.2' }, { args: 'IP=10.66.0.2' }],
      [{ ...small, resolvConf: '/nonexistent/resolv.conf' }, {}],
    ])('refuses %j with %j in the same words', async (ipam, more) => {
      await sameMessage({ command: 'ADD', container: 'c1', config: { cniVersion: '1.0.0', ipam }, ...more })
    })

    test('refuses more than one address of a family in the same words', async () => {
      const ranges = [[{ subnet: '10.66.0.0/24' }], [{ subnet: '10.67.0.0/24' }]]
      await sameMessage({ command: 'ADD', container: 'c1', config: { cniVersion: '0.2.0', ipam: { ranges } } })
    })

    test('refuses an address that is held, and a second ADD, in the same words', async () => {
      const config = {
        cniVersion: '1.0.0',
        ipam: { ranges: [[{ subnet: '10.66.0.0/29' }, { subnet: '10.66.1.0/29' }]] },
      }
      await same({ command: 'ADD', container: 'c1', config, args: 'IP=10.66.1.3' })
      await sameMessage({ command: 'ADD', container: 'c2', config, args: 'IP=10.66.1.3' })
      await sameMessage({ command: 'ADD', container: 'c1', config })
      await same({ command: 'ADD', container: 'c2', config })
    })

    test('gives the same addresses through any life of small ranges', async () => {
      const bounds = fc.option(
        fc.record({ start: fc.integer({ min: 1, max: 3 }), end: fc.integer({ min: 5, max: 6 }) }),
        {
          nil: undefined,
        },
      )
      const set = fc.array(bounds, { minLength: 1, maxLength: 3 }).map(list =>
        list.map((cut, i) => ({
          subnet: `10.66.${i}.0/29`,
          ...(cut && {
            rangeStart: `10.66.${i}.${cut.start}`,
            rangeEnd: `10.66.${i}.${cut.end}`,
            gateway: `10.66.${i}.4`,
          }),
        })),
      )
      const step = fc.record({
        command: fc.constantFrom('ADD' as const, 'ADD' as const, 'DEL' as const),
        container: fc.integer({ min: 1, max: 9 }).map(n => `c${n}`),
      })
      await fc.assert(
        fc.asyncProperty(set, fc.array(step, { minLength: 10, maxLength: 40 }), async (ranges, steps) => {
          both.end()
          both = new SideBySide()
          for (const { command, container } of steps) {
            const call = { command, container, config: { cniVersion: '1.0.0', ipam: { ranges: [ranges] } } }
            const { reference, ours } = await both.call(call)
            const words = ({ stdout }: Said) => (stdout.includes('"msg"') ? JSON.parse(stdout).msg : stdout)
            expect([ours.code, words(ours)]).toEqual([reference.code, words(reference)])
          }
        }),
        { numRuns: 20 },
      )
    })
  },
)
