import { afterEach, beforeEach, expect, test } from 'vitest'
import { installing } from '#cni/daemon/installing.ts'
import { nodeMachine, PLUGINS } from '#cni/daemon/machine.ts'
import { systemClock } from '#system/clock.ts'
import { plainFiles } from '#system/plain-files.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { accepted } from '../../config/parsing.ts'
import { Folders } from './folders.ts'

// `cni install FILE` beside plugins of another make, which are asked for the versions they have.

let folders: Folders
beforeEach(() => {
  folders = new Folders()
  folders.write('bin/portmap', answering('{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}'))
  folders.write('bin/bridge', answering('{"cniVersion":"1.1.0","supportedVersions":["0.4.0","1.0.0","1.1.0"]}'))
  folders.write('bin/tuning', answering('no JSON'))
})
afterEach(() => folders.remove())

/** To VERSION alone. */
const answering = (text: string) => `#!/bin/sh\n[ "$CNI_COMMAND" = VERSION ] && echo '${text}'\n`

async function install(cniVersion: string): Promise<readonly string[]> {
  const plugins = [{ type: 'bridge', ipam: { type: 'static' } }, { type: 'portmap' }, { type: 'tuning' }]
  const file = folders.write('10-pods.conflist', JSON.stringify({ cniVersion, name: 'pods', plugins }))
  const argv = ['install', file, `--bin-dir=${folders.bin}`, `--conf-dir=${folders.conf}`]
  const { settings } = await accepted({ verb: 'cni', argv })
  const machine = nodeMachine({ kernel: hostKernel(), clock: systemClock, database: `${folders.root}/ipam.db` })
  try {
    const own = { plugins: PLUGINS, machine, version: 'v1' }
    const asked = { settings: settings.cni, operands: [file] }
    return (await installing(asked, { own, files: plainFiles }, folders.sources)).text.split('\n')
  } finally {
    machine.close()
  }
}

test('one that refuses the version of the list is named, with the version that would do', async () => {
  expect(await install('1.1.0')).toEqual([
    `Installed ${folders.bin}/switchyard.`,
    `Installed ${folders.conf}/10-pods.conflist.`,
    `Warning: ${folders.bin}/portmap has the versions 0.4.0, 1.0.0 and not 1.1.0, so no pod can be attached; write "cniVersion": "1.0.0".`,
  ])
})

test('with that version nothing is said', async () => {
  expect(await install('1.0.0')).toHaveLength(2)
})
