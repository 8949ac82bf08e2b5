import { notUnderstood, usage } from '#lab/paper/iptables/refused.ts'
import type { Extension, Givens, RuleContext } from './extension.ts'
import { uint32 } from './values.ts'

// The two matches whose options depend on a mode: statistic and recent.

export const statistic: Extension = {
  name: 'statistic',
  options: [
    { flag: '--mode', value: statisticMode },
    { flag: '--probability', value: probability, invertible: true },
    { flag: '--every', value: text => count(text, 'statistic', '--every'), invertible: true },
    { flag: '--packet', value: text => count(text, 'statistic', '--packet') },
  ],
  finish: finishStatistic,
}

function statisticMode(text: string): string {
  if (text !== 'random' && text !== 'nth') throw usage(`Bad mode "${text}"`)
  return text
}

/** The kernel keeps 31 bits of it, and those are printed. */
function probability(text: string): string {
  const value = /^\d+(\.\d*)?$|^\.\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= 1)) throw usage('statistic: bad value for option "--probability", or out of range (0-1).')
  return (Math.round(value * 0x80000000) / 0x80000000).toFixed(11)
}

function finishStatistic(given: Givens): void {
  const mode = given.get('--mode')?.text
  if (mode === undefined) throw usage('statistic: option "--mode" must be specified')
  const own = mode === 'random' ? ['--probability'] : ['--every', '--packet']
  for (const flag of own) {
    if (!given.has(flag)) throw usage(`${flag} must be specified when using ${mode} mode`)
  }
  if (given.size > own.length + 1) throw notUnderstood('statistic options of two modes')
  if (mode === 'nth' && Number(given.get('--packet')!.text) >= Number(given.get('--every')!.text)) {
    throw usage('the --packet p must be 0 <= p <= n-1')
  }
}

const RECENT_MODES = ['--set', '--rcheck', '--update', '--remove']

export const recent: Extension = {
  name: 'recent',
  options: [
    ...RECENT_MODES.map(flag => ({ flag, invertible: true }) as const),
    { flag: '--seconds', value: seconds },
    { flag: '--reap' },
    { flag: '--name', value: listName },
    { flag: '--mask', value: fullMask },
    { flag: '--rsource' },
    { flag: '--rdest' },
  ],
  // iptables 1.8.9 does not know a rule again whose mask it filled in itself, though it prints the two the same.
  spelling: (given, { family }) => (family === 'ipv4' && !given.has('--mask') ? ' (own mask)' : ''),
  finish: finishRecent,
  demands: given => (given.has('--set') && given.has('--seconds') ? { refused: 'Invalid argument' } : {}),
}

function seconds(text: string): string {
  const complaint = 'recent: bad value for option "--seconds", or out of range (1-4294967295).'
  const value = uint32(text, complaint)
  if (value === 0) throw usage(complaint)
  return `${value}`
}

function listName(text: string): string {
  if (!/^[\w.-]{1,199}$/.test(text)) throw notUnderstood(`the list name "${text}"`)
  return text
}

function fullMask(text: string, { family }: RuleContext): string {
  if (text !== widestMask(family)) throw notUnderstood(`recent --mask ${text}`)
  return text
}

function widestMask(family: RuleContext['family']): string {
  return family === 'ipv4' ? '255.255.255.255' : 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
}

function finishRecent(given: Givens, { family }: RuleContext): void {
  const modes = RECENT_MODES.filter(flag => given.has(flag))
  if (modes.length === 0) throw usage("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'")
  if (modes.length > 1) throw usage(`recent: option "${modes[0]}" cannot be used together with "${modes[1]}".`)
  if (given.has('--reap') && !given.has('--seconds')) throw usage('recent: option "--reap" also requires "--seconds".')
  if (given.has('--rsource') && given.has('--rdest')) throw notUnderstood('recent with both --rsource and --rdest')
  if (!given.has('--name')) given.set('--name', { text: 'DEFAULT', inverted: false })
  if (!given.has('--mask')) given.set('--mask', { text: widestMask(family), inverted: false })
  if (!given.has('--rdest')) given.set('--rsource', { inverted: false })
}

function count(text: string, extension: string, flag: string): string {
  return `${uint32(text, `${extension}: bad integer value for option "${flag}", or out of range.`)}`
}
