import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { expect } from 'vitest'
import type { Effects } from './effect.ts'
import { Program } from './program.ts'

// What `cni` gives a plugin, and finds in a file, by its flags. The plugin is a script that notes what it was given.

export const CNI: Effects = {
  'conf-dir': async () => expect((await added()).given).toContain('"name":"net1"'),
  'bin-dir': async () => expect((await added()).given).toMatch(/^CNI_PATH=\S+\/bin$/m),
  'container-id': async () => {
    expect((await added('--container-id=c7')).given).toMatch(/^CNI_CONTAINERID=c7$/m)
    expect((await added()).given).toMatch(/^CNI_CONTAINERID=cnitool-[0-9a-f]{20}$/m)
  },
  ifname: async () => expect((await added('--ifname=eth7')).given).toMatch(/^CNI_IFNAME=eth7$/m),
  args: async () => expect((await added('--args=A=1;B=2')).given).toMatch(/^CNI_ARGS=A=1;B=2$/m),
  'capability-args': async () =>
    expect((await added('--capability-args={"mac": "x", "ips": []}')).given).toContain('"runtimeConfig":{"mac":"x"}'),
  'cache-dir': async () => expect((await added('--container-id=c7')).kept).toEqual(['net1-c7-eth0']),
  'valid-attachments': async () => {
    const { given } = await ran(['gc', 'net1'], '--valid-attachments=c1/eth0')
    expect(given).toContain('"cni.dev/valid-attachments":[{"containerID":"c1","ifname":"eth0"}]')
  },
  'service-cluster-ip-range': async () => {
    const program = new Program()
    const ipam = { type: 'host-local', subnet: '10.97.0.0/16' }
    const list = { cniVersion: '1.0.0', name: 'net1', plugins: [{ type: 'bridge', ipam }] }
    const file = program.file('10.conflist', JSON.stringify(list))
    const { code, stdout } = await program.run('cni', 'lint', file, '--service-cluster-ip-range=10.96.0.0/12')
    program.remove()
    expect([code, stdout]).toEqual([1, expect.stringContaining('10.97.0.0/16 overlaps with the range of Services')])
  },
}

const PLUGIN = '#!/bin/sh\n{ /usr/bin/env | /bin/grep ^CNI_; /bin/cat; } > "$0.given"\necho "{}"\n'
const LIST = { cniVersion: '1.1.0', name: 'net1', plugins: [{ type: 'noting', capabilities: { mac: true } }] }

function added(...flags: readonly string[]) {
  return ran(['add', 'net1', '/run/netns/pod1'], ...flags)
}

async function ran(words: readonly string[], ...flags: readonly string[]) {
  const program = new Program()
  try {
    for (const folder of ['bin', 'conf']) mkdirSync(program.path(folder))
    chmodSync(program.file('bin/noting', PLUGIN), 0o755)
    program.file('conf/10.conflist', JSON.stringify(LIST))
    const places = ['conf', 'bin', 'cache'].map(name => `--${name}-dir=${program.path(name)}`)
    const { code, stderr } = await program.run('cni', ...words, ...places, ...flags)
    expect([code, stderr]).toEqual([0, ''])
    const results = program.path('cache/results')
    return { given: program.read('bin/noting.given'), kept: existsSync(results) ? readdirSync(results) : [] }
  } finally {
    program.remove()
  }
}
