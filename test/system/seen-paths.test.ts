import { expect, test } from 'vitest'
import { mountOf, seesAll } from '#system/seen-paths.ts'

const MOUNTS = [
  '22 1 0:21 / / rw,relatime - overlay overlay rw',
  '30 22 0:25 / /run rw,nosuid shared:5 - tmpfs tmpfs rw',
  '31 30 0:25 /netns /run/netns rw shared:5 - tmpfs tmpfs rw',
  '40 22 0:40 / /private\\040run rw - tmpfs tmpfs rw',
  '41 22 0:41 /netns /given/netns rw master:7 - tmpfs tmpfs rw',
  '42 41 0:42 / /given/netns rw - tmpfs tmpfs rw',
].join('\n')

test('a folder is in the innermost mount above it, and of several at one point in the last', () => {
  expect(mountOf('/run/netns', MOUNTS)).toEqual({ point: '/run/netns', isPassedOn: true })
  expect(mountOf('/run/netnsx', MOUNTS)).toEqual({ point: '/run', isPassedOn: true })
  expect(mountOf('/private run/netns', MOUNTS)).toEqual({ point: '/private run', isPassedOn: false })
  expect(mountOf('/given/netns', MOUNTS)).toEqual({ point: '/given/netns', isPassedOn: false })
  expect(mountOf('/var/run', MOUNTS)).toEqual({ point: '/', isPassedOn: false })
  expect(mountOf('/run', '')).toBeUndefined()
})

test('a folder that is not there says nothing of the node, unless this process has its mounts', async () => {
  const own = await seesAll('/no/such/folder/netns')
  expect(await seesAll('/no/such/folder/other')).toBe(own)
})
