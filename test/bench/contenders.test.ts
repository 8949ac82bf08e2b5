import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { imageEnvironment, peerWords } from '../../bench/contenders.ts'

test('the environment of an image is what its last stage sets', () => {
  const dockerfile = 'FROM a AS build\nENV BUILD=1\nRUN true\nFROM b\nENV ONE=1 TWO=--x=2\nRUN true\nENV THREE=3\n'
  expect(imageEnvironment(dockerfile)).toEqual({ ONE: '1', TWO: '--x=2', THREE: '3' })
})

test('our own image keeps what it has compiled', () => {
  const dockerfile = readFileSync(new URL('../../manifests/Dockerfile', import.meta.url), 'utf8')
  expect(Object.keys(imageEnvironment(dockerfile))).toContain('NODE_COMPILE_CACHE')
})

test('a peer is a program with its arguments', () => {
  expect(peerWords('/usr/local/bin/kube-proxy')).toEqual(['/usr/local/bin/kube-proxy'])
  expect(peerWords('node  /old/switchyard.js')).toEqual(['node', '/old/switchyard.js'])
})
