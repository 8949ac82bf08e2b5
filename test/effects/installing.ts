import { expect } from 'vitest'
import { ChangedNode } from '../cni/daemon/change-over/changed-node.ts'
import { Folders, HELPER } from '../cni/install/folders.ts'
import { accepted } from '../config/parsing.ts'
import type { Effects } from './effect.ts'

// What is installed, and under which names.

export const INSTALLING: Effects = {
  import: () =>
    changed(async node => {
      node.given('10.9.0.2', 'a')
      await node.install('--replace-standard-plugins', `--import=${node.dataDir}`)
      expect(node.held()).toEqual(['10.9.0.2 a'])
    }),
  export: () =>
    changed(async node => {
      node.given('10.9.0.2', 'a')
      await node.install('--replace-standard-plugins', `--import=${node.dataDir}`)
      await node.uninstall(`--export=${node.dataDir}`)
      expect(node.directory()).toEqual(['10.9.0.2 a'])
    }),
  'replace-standard-plugins': async () => {
    expect(await installed()).not.toHaveProperty(['bin/bridge'])
    expect(await installed('--replace-standard-plugins')).toMatchObject({ 'bin/bridge': HELPER })
  },
}

async function changed(act: (node: ChangedNode) => Promise<void>): Promise<void> {
  const node = new ChangedNode()
  try {
    await act(node)
  } finally {
    node.remove()
  }
}

async function installed(...flags: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const { settings } = await accepted({ verb: 'cni', argv: ['install', ...flags] })
  const folders = new Folders()
  try {
    await folders.install(folders.plan({ replacesStandard: settings.cni.replaceStandardPlugins }))
    return folders.content()
  } finally {
    folders.remove()
  }
}
