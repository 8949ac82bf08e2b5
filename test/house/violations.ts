import { posix } from 'node:path'
import {
  BEYOND_THE_WALL,
  EFFECT_MODULES,
  EFFECTS_ELSEWHERE,
  type Exception,
  FLOORS,
  type Floor,
  MACHINE_ROOMS,
  OUTSIDE,
  PACKAGES,
  PURE,
  TYPES_ONLY,
  WALL,
  WINGS,
} from './house.ts'
import { type Import, type Source, sourceOf } from './source.ts'

// A source file → what it does that the plan of the house does not allow, a sentence each.

export interface SourceFile {
  /** From src/ on. */
  readonly path: string
  readonly text: string
}

export function violationsOf({ path, text }: SourceFile): readonly string[] {
  const source = sourceOf(text)
  const found = [
    ...source.imports.flatMap(one => importViolation(path, one) ?? []),
    ...effectsOf(path, source)
      .filter(effect => exceptionFor(path, effect) === undefined)
      .map(effectSentence),
    ...sizeViolations(path, text),
  ]
  return [...new Set(found)].map(sentence => `src/${path}: ${sentence}`)
}

/** What a file uses that only an exception allows, to find exceptions that no file needs any more. */
export function exceptionsNeeded({ path, text }: SourceFile): readonly string[] {
  const effects = effectsOf(path, sourceOf(text))
  return effects.flatMap(effect => {
    const exception = exceptionFor(path, effect)
    return exception === undefined ? [] : [`${exception.in} ${effect}`]
  })
}

function importViolation(path: string, { from, values }: Import): string | undefined {
  if (from.startsWith('node:')) return undefined
  if (!from.startsWith('.') && !from.startsWith('#')) return packageViolation(path, from, values)
  const target = from.startsWith('#') ? from.slice(1) : posix.join(posix.dirname(path), from)
  if (target.startsWith('..') && OUTSIDE[target]?.includes(path)) return undefined
  if (target.startsWith('..') || target.startsWith('lab/')) return `may not import ${from}: it is outside of src/`
  return modeViolation(path, target) ?? wingViolation(path, target) ?? floorViolation(path, target, values)
}

function packageViolation(path: string, from: string, values: readonly string[]): string | undefined {
  const name = from.split('/', from.startsWith('@') ? 2 : 1).join('/')
  const [whole, types] = [PACKAGES[name] ?? [], TYPES_ONLY[name] ?? []]
  const allowed = [...whole, ...types]
  if (allowed.length === 0) return `may not import ${name}: the plan of the house knows no such package`
  if (!allowed.some(place => covers(place, path))) return `may not import ${name} (only ${allowed.join(', ')} may)`
  const isWhole = whole.some(place => covers(place, path))
  return !isWhole && values.length > 0 ? `may import only types of ${name}` : undefined
}

/** What modes that speak iptables have in common. */
const SHARED_BY_MODES = 'netfilter'

function modeViolation(path: string, target: string): string | undefined {
  const [from, to] = [modeFolder(path), modeFolder(target)]
  if (from === undefined || to === undefined || from === to || to === SHARED_BY_MODES) return undefined
  return `proxy/modes/${from} may not import proxy/modes/${to}: a mode knows no other mode`
}

function modeFolder(path: string): string | undefined {
  return /^proxy\/modes\/([^/]+)\//.exec(path)?.[1]
}

function wingViolation(path: string, target: string): string | undefined {
  const wing = path.split('/')[0]!
  const other = WINGS[wing]?.find(place => covers(place, target))
  return other && `${wing} may not import ${target}: the wings share data and tools, not each other's code`
}

/** The room a file stands in: the innermost folder that the plan names, or the file itself. */
export function roomOf(path: string): string | undefined {
  const rooms = Object.keys(FLOORS).filter(room => covers(room, path))
  return rooms.sort((a, b) => b.length - a.length)[0]
}

function floorViolation(path: string, target: string, values: readonly string[]): string | undefined {
  const room = roomOf(path)
  if (room === undefined) return `${path.split('/')[0]} is no room of the plan`
  const floor = FLOORS[room]!
  if (floor === 'everything' || covers(room, target)) return undefined
  if (floor.may.some(place => covers(place, target))) return undefined
  if (values.length === 0 && floor.types?.some(place => covers(place, target))) return undefined
  return `${room} may not import ${target} (allowed: ${allowedBy(floor)})`
}

function allowedBy({ may, types = [] }: Floor): string {
  return [...types.map(place => `${place}'s types`), ...may].join(', ') || 'nothing'
}

/** Modules by which a file reaches the machine, and things of the machine it touches. */
function effectsOf(path: string, { imports, touches }: Source): readonly string[] {
  if (MACHINE_ROOMS.some(room => covers(room, path))) return []
  const modules = imports.filter(({ from, values }) => EFFECT_MODULES.includes(from) && !isPure(from, values))
  return [...modules.map(({ from }) => from), ...touches]
}

function isPure(from: string, values: readonly string[]): boolean {
  return values.every(value => PURE[from]?.includes(value))
}

function exceptionFor(path: string, effect: string): Exception | undefined {
  return EFFECTS_ELSEWHERE.find(({ in: place, uses }) => covers(place, path) && uses.includes(effect))
}

function effectSentence(effect: string): string {
  return `may not use ${effect}: only ${MACHINE_ROOMS.join(', ')} may touch the machine`
}

function sizeViolations(path: string, text: string): readonly string[] {
  const lines = text.split('\n').length - 1
  if (lines <= WALL || BEYOND_THE_WALL[path] !== undefined) return []
  return [`has ${lines} lines; the wall is at ${WALL}`]
}

function covers(place: string, path: string): boolean {
  if (place.endsWith('*')) return path.startsWith(place.slice(0, -1))
  return path === place || path.startsWith(`${place}/`)
}
