import { join } from 'node:path'
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
    const text = await files.read(path)
    if (text === undefined) continue
    if (fingerprint(text) === print) done.push(await giveBack(path, keptConfiguration(path), files))
    else done.push(`Left ${path}: it was changed after it was installed.`)
  }
  for (const name of [OWN_EXECUTABLE, ...STANDARD_PLUGINS]) {
    if (await isOurs(name, binDir, { ...parts, untilServed: async () => {} })) {
      done.push(await giveBack(join(binDir, name), keptPlugin(binDir, name), files))
    }
  }
  await removeOwnFolder(binDir, files)
  return done.length > 0 ? done : [`Nothing of Switchyard is installed in ${binDir}.`]
}

async function giveBack(path: string, kept: string, files: InstallParts['files']): Promise<string> {
  if (await files.exists(kept)) {
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
