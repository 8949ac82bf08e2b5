import { expect, test } from 'vitest'
import { serverPort } from '#lab/cluster/control-plane/server-port.ts'
import { occupyPort } from '../../../support/local-ports.ts'

test('is none that is taken, and none that the kernel gives to a connection', async () => {
  const taken = await serverPort('127.0.0.1')
  const occupied = await occupyPort({ port: taken, host: '127.0.0.1' })
  try {
    const sameAgain = (taken - 20_000 + 0.5) / 10_000
    const draws = [sameAgain, sameAgain]
    const another = await serverPort('127.0.0.1', () => draws.shift() ?? Math.random())
    expect([another === taken, draws.length]).toEqual([false, 0])
    expect([taken >= 20_000, taken < 30_000, another >= 20_000, another < 30_000]).toEqual([true, true, true, true])
    await expect(serverPort('127.0.0.1', () => sameAgain)).rejects.toThrow(
      'no port from 20000 to 29999 of 127.0.0.1 is free',
    )
  } finally {
    await occupied.release()
  }
})

test('of an address that is not of this machine fails as such', async () => {
  await expect(serverPort('192.0.2.1')).rejects.toThrow('EADDRNOTAVAIL')
})
