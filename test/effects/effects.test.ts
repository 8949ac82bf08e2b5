import { describe, expect, test } from 'vitest'
import { TABLE } from '#config/table/table.ts'
import { oneWarning } from './accepted.ts'
import { CNI } from './cni.ts'
import type { Effects } from './effect.ts'
import { INSTALLING } from './installing.ts'
import { IPAM } from './ipam.ts'
import { IPVS } from './ipvs.ts'
import { LEAKS } from './leaks.ts'
import { LOGGING } from './logging.ts'
import { MACHINE } from './machine.ts'
import { NODE_RANGES } from './node-ranges.ts'
import { PERIODS } from './periods.ts'
import { POD_RANGES } from './pod-ranges.ts'
import { PRINTING } from './printing.ts'
import { QUESTIONS } from './questions.ts'
import { RELAY } from './relay.ts'
import { ROUTES } from './routes.ts'
import { SERVERS } from './servers.ts'
import { STARTING } from './starting.ts'
import { TRAFFIC } from './traffic.ts'

// Every setting there is, and what it does. One that is added to the table and shown nowhere below fails here.

const PARTS: readonly Effects[] = [
  STARTING,
  PRINTING,
  QUESTIONS,
  IPAM,
  CNI,
  INSTALLING,
  TRAFFIC,
  PERIODS,
  IPVS,
  RELAY,
  MACHINE,
  SERVERS,
  LEAKS,
  ROUTES,
  NODE_RANGES,
  POD_RANGES,
  LOGGING,
]
const SHOWN = new Map(PARTS.flatMap(part => Object.entries(part)))
/** A field that a flag sets, too, is shown by the flag. */
const NAMED = TABLE.map(setting => ({ setting, name: setting.flag ?? setting.field! }))

describe('what a setting does', { timeout: 120_000 }, () => {
  test.each(NAMED)('$name', async ({ setting, name }) => {
    const effect = setting.noEffect === undefined ? SHOWN.get(name) : oneWarning(setting)
    if (effect === undefined) throw new Error(`nothing shows what ${name} does`)
    await effect()
  })

  test('is shown for settings that exist, once each, and only where there is an effect', () => {
    const working = NAMED.filter(({ setting }) => setting.noEffect === undefined).map(({ name }) => name)
    expect(PARTS.flatMap(part => Object.keys(part)).toSorted()).toEqual(working.toSorted())
  })
})
