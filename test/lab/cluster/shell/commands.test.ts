import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Shell } from '#lab/cluster/shell/commands.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// The short commands of a cluster, with a nsenter that only goes to the root folder, as the real one does with --mount.

let folder: string
let shell: Shell
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'shell-')))
  const parts = { kubeconfig: join(folder, 'kubeconfig'), linkKubeconfig: join(folder, 'link.kubeconfig') }
  shell = new Shell({ folder, dist: folder, ...parts })
  writeScript('nsenter', ['while [ "$1" != -- ]; do shift; done', 'shift', 'cd /', 'exec "$@"'])
})
afterEach(() => rmSync(folder, { recursive: true }))

function writeScript(name: string, lines: readonly string[]): void {
  const path = join(folder, 'bin', name)
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'))
  chmodSync(path, 0o755)
}

async function said(line: string): Promise<string> {
  const { stdout, stderr } = await hostKernel().run(shell.command(`cd ${folder} && ${line}`))
  return `${stdout}${stderr}`.trim()
}

describe.each(['node-1', 'outside'])('%s', name => {
  beforeEach(() => {
    if (name === 'outside') shell.addNamespace(name, 'its-namespace')
    else shell.addNode(name, process.pid)
  })

  test('runs its words in the folder in which a person typed them', async () => {
    mkdirSync(join(folder, 'a b'))
    expect(await said(`cd 'a b' && ${name} pwd`)).toBe(join(folder, 'a b'))
    expect(await said(`${name} sh -c 'echo "$1"' x 'two  words'`)).toBe('two  words')
  })

  test('runs them in the root folder where that one is not there', async () => {
    mkdirSync(join(folder, 'gone'))
    expect(await said(`cd gone && rmdir ../gone && ${name} pwd 2>/dev/null`)).toBe('/')
  })

  test('finds the API server at its address on the link', async () => {
    expect(await said(`${name} sh -c 'echo $KUBECONFIG'`)).toBe(join(folder, 'link.kubeconfig'))
    expect(await said('echo $KUBECONFIG')).toBe(join(folder, 'kubeconfig'))
  })
})

test('a node that is no longer there says so', async () => {
  shell.addNode('node-1', process.pid)
  shell.remove('node-1')
  expect(await said('node-1 pwd')).toBe('node-1 is no longer there')
})
