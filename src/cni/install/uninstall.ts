import { join } from 'node:path'
import { beforeOf, isThere } from './placement.ts'
import {
  importedPath,
  keptConfiguration,
  keptPlugin,
  OWN_EXECUTABLE,
  ownFolder,
  recordPath,
  STANDARD_PLUGINS,
} from './places.ts'
import { fingerprint, type InstallParts, isOurs, writtenIn } from './plan.ts'

// What was installed → gone, and what it replaced is back: configurations first, so that no runtime calls what is not there.

/** Returns what was done, a sentence each. What others have changed since stays as it is. */
export async function uninstall(binDir: string, parts: Omit<InstallParts, 'untilServed'>): Promise<readonly string[]> {
  const { files } = parts
  const done: string[] = []
  for (const [path, print] of Object.entries(await writtenIn(binDir, files))) {
    const [text, kept] = [await files.read(path), keptConfiguration(path)]
    const isKept = await isThere(kept, files)
    if (text !== undefined && fingerprint(text) === print) done.push(await giveBack(path, kept, files))
    else if (text !== undefined)
      done.push(`Left ${path}: it was changed after it was installed${isKept ? `; what it replaced is ${kept}` : ''}.`)
    else if (isKept) done.push(`Left ${kept}: ${path}, which replaced it, was removed after it was installed.`)
  }
  for (const name of [OWN_EXECUTABLE, ...STANDARD_PLUGINS]) {
    const [path, kept] = [join(binDir, name), keptPlugin(binDir, name)]
    const isMissing = !(await isThere(path, files)) && (await isThere(kept, files))
    if (isMissing || (await isOurs(name, binDir, { ...parts, untilServed: async () => {} })))
      done.push(await giveBack(path, kept, files))
  }
  await removeOwnFolder(binDir, files)
  return done.length > 0 ? done : [`Nothing of Switchyard is installed in ${binDir}.`]
}

async function giveBack(path: string, kept: string, files: InstallParts['files']): Promise<string> {
  // A process that was killed may have left it.
  await files.remove(beforeOf(path))
  if (await isThere(kept, files)) {
    await files.rename(kept, path)
    return `Put back ${path}.`
  }
  await files.remove(path)
  return `Removed ${path}.`
}

/** A plugin that could not be put back, because another one has its name by now, stays where it is kept. */
async function removeOwnFolder(binDir: string, files: InstallParts['files']): Promise<void> {
  const own = ownFolder(binDir)
  for (const name of ['node', 'cni.js', 'package.json']) await files.remove(join(own, name))
  for (const record of [recordPath(binDir), importedPath(binDir)]) await files.remove(record)
  for (const library of await files.list(join(own, 'lib'))) await files.remove(join(own, 'lib', library))
  await files.removeFolder(join(own, 'lib'))
  await files.removeFolder(join(own, 'replaced'))
  await files.removeFolder(own)
}
