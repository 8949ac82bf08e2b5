import { expect, test } from 'vitest'
import { forgetting } from '#cni/network/connections.ts'
import { parseAddress } from '#values/address.ts'

const ADDRESS = parseAddress('10.9.0.2')!

test('a caller is not kept waiting, and a process that ends waits for all of it', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { forget, idle } = forgetting({ forget: () => promise }, () => {})
  forget([ADDRESS])
  let isIdle = false
  const ended = idle().then(() => {
    isIdle = true
  })
  await Promise.resolve()
  expect(isIdle).toBe(false)
  resolve()
  await ended
})

test('what fails is reported, and is over', async () => {
  const failures: string[] = []
  const { forget, idle } = forgetting({ forget: async () => Promise.reject(new Error('no')) }, ({ message }) =>
    failures.push(message),
  )
  forget([ADDRESS])
  await idle()
  expect(failures).toEqual(['no'])
})
