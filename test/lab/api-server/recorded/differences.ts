// Two JSON documents → where they differ, path by path. Marked values (`<uid …>`) are the same where each is always met by
// the same one of the other server.

export interface Difference {
  /** As `spec.ports[0].nodePort`, `resources[pods/log].verbs`. */
  readonly path: string
  /** Undefined where only our server has it. */
  readonly recorded: unknown
  /** Undefined where only the recorded server has it. */
  readonly ours: unknown
}

export type Same = (recorded: unknown, ours: unknown) => boolean

export function differences(recorded: unknown, ours: unknown, same: Same, path = ''): readonly Difference[] {
  if (isFields(recorded) && isFields(ours)) {
    const keys = new Set([...Object.keys(recorded), ...Object.keys(ours)])
    return [...keys].flatMap(key => differences(recorded[key], ours[key], same, path === '' ? key : `${path}.${key}`))
  }
  if (Array.isArray(recorded) && Array.isArray(ours)) {
    const [named, namedOurs] = [byName(recorded), byName(ours)]
    if (path.endsWith('resources') && named && namedOurs) return listDifferences(named, namedOurs, same, path)
    const longer = recorded.length > ours.length ? recorded : ours
    return longer.flatMap((_, index) => differences(recorded[index], ours[index], same, `${path}[${index}]`))
  }
  return same(recorded, ours) ? [] : [{ path, recorded, ours }]
}

/** Discovery lists what is served in any order. */
function listDifferences(
  recorded: ReadonlyMap<string, unknown>,
  ours: ReadonlyMap<string, unknown>,
  same: Same,
  path: string,
): readonly Difference[] {
  const names = new Set([...recorded.keys(), ...ours.keys()])
  return [...names].flatMap(name => differences(recorded.get(name), ours.get(name), same, `${path}[${name}]`))
}

function byName(items: readonly unknown[]): ReadonlyMap<string, unknown> | undefined {
  const names = items.map(item => (isFields(item) ? item.name : undefined))
  if (!names.every(name => typeof name === 'string')) return undefined
  return new Map(items.map((item, index) => [names[index] as string, item]))
}

const MARK = /<(uid|revision|cluster IP|node port) ([^<>]+)>/g

/** Whether two values are the same but for marks, each of which has one partner for good. */
export function pairing(): Same {
  const [partners, back] = [new Map<string, string>(), new Map<string, string>()]
  return (recorded, ours) => {
    if (typeof recorded !== 'string' || typeof ours !== 'string') return Object.is(recorded, ours)
    const [marks, marksOurs] = [recorded.match(MARK) ?? [], ours.match(MARK) ?? []]
    if (recorded.replace(MARK, '<$1>') !== ours.replace(MARK, '<$1>')) return false
    return marks.every((mark, index) => {
      const ours = marksOurs[index]!
      if (!partners.has(mark) && !back.has(ours)) {
        partners.set(mark, ours)
        back.set(ours, mark)
      }
      return partners.get(mark) === ours
    })
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
