import type { Verb } from '#config/verbs.ts'
import { CNI_ROWS } from './rows-cni.ts'
import { IPAM_ROWS } from './rows-ipam.ts'
import { LEAK_ROWS } from './rows-leaks.ts'
import { LOGGING_ROWS } from './rows-logging.ts'
import { MACHINE_ROWS } from './rows-machine.ts'
import { MODE_ROWS } from './rows-modes.ts'
import { POD_ROWS } from './rows-pods.ts'
import { QUESTION_ROWS } from './rows-questions.ts'
import { RANGES_ROWS } from './rows-ranges.ts'
import { RING_ROWS } from './rows-ring.ts'
import { ROUTE_ROWS } from './rows-routes.ts'
import { START_ROWS } from './rows-start.ts'
import { TRAFFIC_ROWS } from './rows-traffic.ts'
import { keyOf, type Setting, verbsOf } from './setting.ts'

// All rows → the one table, and the ways to look into it.

export const TABLE: readonly Setting[] = [
  ...START_ROWS,
  ...IPAM_ROWS,
  ...QUESTION_ROWS,
  ...CNI_ROWS,
  ...TRAFFIC_ROWS,
  ...MODE_ROWS,
  ...MACHINE_ROWS,
  ...POD_ROWS,
  ...LEAK_ROWS,
  ...RING_ROWS,
  ...ROUTE_ROWS,
  ...RANGES_ROWS,
  ...LOGGING_ROWS,
]

const BY_KEY: ReadonlyMap<string, Setting> = new Map(TABLE.map(setting => [keyOf(setting), setting]))

/** A key that is not in the table is a programming error, and throws. */
export function settingOf(key: string): Setting {
  const setting = BY_KEY.get(key)
  if (setting === undefined) throw new Error(`there is no setting "${key}"`)
  return setting
}

export interface FlaggedSetting extends Setting {
  readonly flag: string
}

/** The flags this verb has. */
export function flagsOf(verb: Verb): readonly FlaggedSetting[] {
  return FLAGGED.filter(setting => verbsOf(setting).includes(verb))
}

export const FLAGGED: readonly FlaggedSetting[] = TABLE.filter(
  setting => setting.flag !== undefined,
) as FlaggedSetting[]

export interface FieldSetting extends Setting {
  readonly field: string
}

export const FIELDS: readonly FieldSetting[] = TABLE.filter(setting => setting.field !== undefined) as FieldSetting[]
