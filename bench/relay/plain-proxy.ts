import { connect, createServer } from 'node:net'

// node bench/relay/plain-proxy.ts PORT TO-HOST TO-PORT: what one writes in a minute, to measure the relay against.

const [port, host, toPort] = process.argv.slice(2)
const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
  const endpoint = connect({ host: host!, port: Number(toPort), allowHalfOpen: true, noDelay: true })
  client.on('error', () => endpoint.destroy())
  endpoint.on('error', () => client.destroy())
  client.pipe(endpoint)
  endpoint.pipe(client)
})
process.stdin.once('end', () => process.exit(0)).resume()
server.listen({ port: Number(port), backlog: 8192 }, () => console.log('"listening"'))
