import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

let echo: Server
let proxy: TcpProxy
const accepted = new Set<Socket>()
const clients: Socket[] = []

beforeEach(async () => {
  echo = createServer(socket => {
    accepted.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => accepted.delete(socket))
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  proxy = await startTcpProxy({ port: (echo.address() as AddressInfo).port })
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await proxy.close()
  for (const socket of accepted) socket.destroy()
  echo.close()
})

async function newClient(): Promise<Socket> {
  const client = connect({ port: proxy.port, host: '127.0.0.1' })
  clients.push(client)
  await once(client, 'connect')
  return client
}

async function said(client: Socket, text: string): Promise<string> {
  client.write(text)
  const [chunk] = (await once(client, 'data')) as [Buffer]
  return chunk.toString()
}

/** Enough turns of the loop for loopback traffic that was going to come. */
async function soon(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
}

describe('a TCP proxy that misbehaves', () => {
  test('forwards in both directions, and the end of each', async () => {
    const client = await newClient()
    expect(await said(client, 'hello')).toBe('hello')
    client.end('last words')
    const [chunk] = (await once(client, 'data')) as [Buffer]
    expect(chunk.toString()).toBe('last words')
    await once(client, 'close')
    await soon()
    expect(proxy.open).toBe(0)
  })

  test('forwards more than the buffers hold', async () => {
    const client = await newClient()
    const size = 8 << 20
    let got = 0
    client.on('data', chunk => {
      got += chunk.length
    })
    client.end(Buffer.alloc(size))
    await once(client, 'end')
    expect(got).toBe(size)
  })

  test('stalls what is there, serves what is new, and lets the stalled flow again when healed', async () => {
    const client = await newClient()
    await said(client, 'x')
    proxy.stall()
    client.write('late')
    await soon()
    expect(client.bytesRead).toBe(1)
    expect(await said(await newClient(), 'new')).toBe('new')
    const late = once(client, 'data')
    await proxy.heal()
    expect(String((await late)[0])).toBe('late')
  })

  test('orphans never speak again, not even when healed', async () => {
    const client = await newClient()
    await said(client, 'x')
    proxy.orphan()
    client.write('anyone?')
    await proxy.heal()
    await soon()
    expect(client.bytesRead).toBe(1)
    expect(client.destroyed).toBe(false)
    expect(accepted.size).toBe(0)
  })

  test('swallows new connections and keeps old ones', async () => {
    const old = await newClient()
    await said(old, 'x')
    proxy.blackHole()
    const lost = await newClient()
    lost.write('anyone?')
    await soon()
    expect(lost.bytesRead).toBe(0)
    expect(accepted.size).toBe(1)
    expect(await said(old, 'still here')).toBe('still here')
    await proxy.heal()
    expect(await said(await newClient(), 'back')).toBe('back')
  })

  test('refuses new connections and listens on the same port when healed', async () => {
    const old = await newClient()
    await said(old, 'x')
    const { port } = proxy
    await proxy.refuse()
    const refused = connect({ port, host: '127.0.0.1' })
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
    expect(await said(old, 'still here')).toBe('still here')
    await proxy.heal()
    expect(proxy.port).toBe(port)
    expect(await said(await newClient(), 'back')).toBe('back')
  })

  test('resets both ends', async () => {
    const client = await newClient()
    await said(client, 'x')
    proxy.reset()
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
    await soon()
    expect(accepted.size).toBe(0)
  })

  test('a server that resets is passed on as a reset', async () => {
    const client = await newClient()
    await said(client, 'x')
    for (const socket of accepted) socket.resetAndDestroy()
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
  })
})
