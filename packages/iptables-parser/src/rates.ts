import type { Settle } from './form.ts'
import type { Family, Option } from './parts.ts'

// Packets per time: the kernel keeps the time between two packets, iptables prints the rate that comes of it.

const SECONDS = { day: 86_400, hour: 3_600, min: 60, sec: 1 }
const UNITS = Object.entries(SECONDS)
const LIMIT_SCALE = 10_000n
const HASHLIMIT_SCALE = 1_000_000n

/** `60/min` → `1/sec`, `3/s` → `3/sec`. */
export function limitRate(value: string): string {
  const parsed = parseRate(value)
  return parsed === undefined ? value : (sayPeriod(periodOf(parsed, LIMIT_SCALE), LIMIT_SCALE)?.text ?? value)
}

interface Rate {
  readonly count: bigint
  readonly seconds: number
}

function parseRate(value: string): Rate | undefined {
  const match = /^([1-9]\d*)(?:\/([a-z]+))?$/i.exec(value)
  const unit = (match?.[2] ?? 'second').toLowerCase()
  const seconds = ['second', 'minute', 'hour', 'day'].findIndex(name => name.startsWith(unit))
  return match === null || seconds < 0 ? undefined : { count: BigInt(match[1]!), seconds: UNITS.at(-1 - seconds)![1] }
}

function periodOf({ count, seconds }: Rate, scale: bigint): bigint {
  return (scale * BigInt(seconds)) / count
}

/** The longest unit in which the rate still comes out about whole. */
function sayPeriod(period: bigint, scale: bigint): { readonly text: string; readonly seconds: number } | undefined {
  if (period === 0n) return undefined
  const tooShort = UNITS.findIndex(([, seconds], i) => {
    const whole = scale * BigInt(seconds)
    return i > 0 && (period > whole || whole / period < whole % period)
  })
  const [name, seconds] = UNITS.at(tooShort < 0 ? -1 : tooShort - 1)!
  return { text: `${(scale * BigInt(seconds)) / period}/${name}`, seconds }
}

/** `! --hashlimit-above` is `--hashlimit-upto`; for packets the burst is spelled out, and how long an idle entry stays if it is odd. */
export const settleHashlimit: Settle = (options, family) => {
  const limit = options.find(({ name }) => name === '--hashlimit-upto' || name === '--hashlimit-above')
  if (limit === undefined) return options
  const rest = options.filter(option => option !== limit && !isFullMask(option, family))
  const above = (limit.name === '--hashlimit-above') !== limit.negated
  const name = above ? '--hashlimit-above' : '--hashlimit-upto'
  const rate = parseRate(limit.values[0]!)
  if (rate === undefined) return [single(name, limit.values[0]!), ...rest]
  return settlePackets(name, rate, rest)
}

function settlePackets(name: string, rate: Rate, rest: readonly Option[]): readonly Option[] {
  const given = (option: string) => rest.find(one => one.name === option)?.values[0]
  const matchesRate = rest.some(option => option.name === '--hashlimit-rate-match')
  const period = periodOf(rate, HASHLIMIT_SCALE) / (matchesRate ? BigInt(rate.seconds) : 1n)
  const said = sayPeriod(period, HASHLIMIT_SCALE)
  if (said === undefined) return [single(name, `${rate.count}/sec`), ...rest]
  const expire = given('--hashlimit-htable-expire') ?? String(rate.seconds * 1000)
  const interval = given('--hashlimit-rate-interval') ?? String(rate.seconds)
  return [
    single(name, said.text),
    single('--hashlimit-burst', given('--hashlimit-burst') ?? '5'),
    ...(expire === String(said.seconds * 1000) ? [] : [single('--hashlimit-htable-expire', expire)]),
    ...(matchesRate ? [single('--hashlimit-rate-interval', interval)] : []),
    ...rest.filter(option => !SETTLED.has(option.name)),
  ]
}

const SETTLED = new Set(['--hashlimit-burst', '--hashlimit-htable-expire', '--hashlimit-rate-interval'])

function isFullMask({ name, values }: Option, family: Family): boolean {
  return /^--hashlimit-(src|dst)mask$/.test(name) && values[0] === (family === 'ipv4' ? '32' : '128')
}

function single(name: string, value: string): Option {
  return { name, values: [value], negated: false }
}
