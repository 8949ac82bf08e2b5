import type { Settle } from './form.ts'
import type { Option } from './parts.ts'

// `-m time`: times, dates and days in any spelling → the one iptables prints.

/** `8:00` → `08:00:00`. */
export function timeOfDay(value: string): string {
  const match = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/.exec(value)
  if (match === null) return value
  return [match[1]!, match[2]!, match[3] ?? '0'].map(two).join(':')
}

/** `2020-01-02T10:00` → `2020-01-02T10:00:00`. */
export function dateAndTime(value: string): string {
  const match = /^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?(?:T(\d{1,2}))?(?::(\d{1,2}))?(?::(\d{1,2}))?$/.exec(value)
  if (match === null) return value
  const [, year, month = '1', day = '1', hour = '0', minute = '0', second = '0'] = match
  return `${year}-${two(month)}-${two(day)}T${[hour, minute, second].map(two).join(':')}`
}

function two(digits: string): string {
  return digits.padStart(2, '0')
}

const WEEK = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const MONTH = Array.from({ length: 31 }, (_, i) => String(i + 1))

/** `Sa,1,sun` → `Mon,Sat,Sun`. */
export function weekdays(value: string): string {
  return sorted(value, WEEK, day => WEEK[Number(day) - 1] ?? WEEK.find(name => isStart(day, name)))
}

export function monthdays(value: string): string {
  return sorted(value, MONTH, day => MONTH.find(name => name === day))
}

function sorted(value: string, all: readonly string[], named: (day: string) => string | undefined): string {
  const days = value.split(',').map(named)
  return days.includes(undefined) ? value : all.filter(day => days.includes(day)).join(',')
}

function isStart(text: string, name: string): boolean {
  return text.length >= 2 && name.toLowerCase().startsWith(text.toLowerCase())
}

/** Half a span of the day is completed; days that are not meant become the days that are. */
export const settleTime: Settle = options => {
  const names = new Set(options.map(({ name }) => name))
  const meant = options.map(option => (option.negated ? otherDays(option) : option))
  if (names.has('--timestart') === names.has('--timestop')) return meant
  const [name, value] = names.has('--timestart') ? ['--timestop', '23:59:59'] : ['--timestart', '00:00:00']
  return [...meant, { name: name!, values: [value!], negated: false }]
}

function otherDays(option: Option): Option {
  const [all, say] = option.name === '--weekdays' ? [WEEK, weekdays] : [MONTH, monthdays]
  const left = new Set(say(option.values[0] ?? '').split(','))
  return { ...option, values: [all.filter(day => !left.has(day)).join(',')], negated: false }
}
