import { basename, dirname, join, resolve } from 'node:path'
import { namesBefore } from './name-order.ts'
import { isThere, Placement } from './placement.ts'
import { keptConfiguration, keptPlugin, OWN_EXECUTABLE, ownFolder, recordPath, STANDARD_PLUGINS } from './places.ts'
import { fingerprint, type InstallParts, type InstallPlan, isOurs, type WrittenFiles, writtenIn } from './plan.ts'

// A plan → the plugins of this node, executables first; a configuration only once the node can serve it, because with it the
// runtime begins to call. What cannot be finished is as it was before.

/** Returns what was done, a sentence each. */
export async function install(plan: InstallPlan, parts: InstallParts): Promise<readonly string[]> {
  const placement = new Placement(parts.files)
  try {
    const place = () => putExecutables(plan, parts, placement)
    const executables = await (parts.placing?.(place) ?? place())
    const configuration = plan.configuration === undefined ? [] : await putConfiguration(plan, parts, placement)
    await placement.finish()
    const done = [...executables, ...configuration]
    return done.length > 0 ? done : ['All of it was installed before, as it is.']
  } catch (error) {
    await placement.undo()
    throw error
  }
}

/** Under their names last: whatever a helper may start is there before it is. */
async function putExecutables(
  plan: InstallPlan,
  parts: InstallParts,
  placement: Placement,
): Promise<readonly string[]> {
  const { binDir, sources } = plan
  const own = ownFolder(binDir)
  const libraries = sources.libraries.map(
    path => [join(own, 'lib', basename(path)), { content: { copyOf: path }, mode: 0o644 }] as const,
  )
  const beside = [
    ...libraries,
    [join(own, 'package.json'), { content: { text: '{"type":"module"}\n' }, mode: 0o644 }],
    [join(own, 'cni.js'), { content: { copyOf: sources.program }, mode: 0o644 }],
    [join(own, 'node'), { content: { copyOf: sources.node }, mode: 0o755 }],
  ] as const
  for (const [path, source] of beside) await placement.put(path, source)
  const done: string[] = []
  for (const name of plan.replacesStandard ? [OWN_EXECUTABLE, ...STANDARD_PLUGINS] : [OWN_EXECUTABLE]) {
    const path = join(binDir, name)
    const isForeign = (await isThere(path, parts.files)) && !(await isOurs(name, binDir, parts))
    if (isForeign) await placement.keep(path, keptPlugin(binDir, name))
    const outcome = await placement.put(path, { content: { copyOf: sources.helper }, mode: 0o755 })
    if (outcome === 'same') continue
    const kept = isForeign ? `; the one that was there is kept as ${keptPlugin(binDir, name)}` : ''
    done.push(`Installed ${path}${kept}.`)
  }
  return done
}

async function putConfiguration(
  plan: InstallPlan,
  parts: InstallParts,
  placement: Placement,
): Promise<readonly string[]> {
  const { text } = plan.configuration!
  // What is recorded holds in whichever folder an uninstall is started.
  const path = resolve(plan.configuration!.path)
  const source = { content: { text }, mode: 0o644 }
  if (await parts.files.has(path, source)) return []
  await parts.untilServed()
  const written = await writtenIn(plan.binDir, parts.files)
  const before = await parts.files.read(path)
  const isForeign = before !== undefined && fingerprint(before) !== written[path]
  if (isForeign) await placement.keep(path, keptConfiguration(path))
  await placement.put(recordPath(plan.binDir), recordOf({ ...written, [path]: fingerprint(text) }))
  await placement.put(path, source)
  const kept = isForeign ? `; the one that was there is kept as ${basename(keptConfiguration(path))}` : ''
  return [`Installed ${path}${kept}.`, ...orderWarning(path, await parts.files.list(dirname(path)))]
}

function orderWarning(path: string, names: readonly string[]): readonly string[] {
  const [first] = namesBefore(basename(path), names)
  if (first === undefined) return []
  return [`Runtimes take ${first} instead, whose name comes before it: remove that, or give this one an earlier name.`]
}

function recordOf(written: WrittenFiles) {
  return { content: { text: `${JSON.stringify(written, undefined, 2)}\n` }, mode: 0o644 } as const
}
