import { listenersContract } from '../../contracts/listeners.ts'
import { Loopback } from './loopback.ts'

listenersContract(async () => {
  const loopback = new Loopback()
  return {
    listeners: loopback.relay,
    ...{ host: loopback.host, otherHost: '127.0.0.2' },
    endpoints: { one: await loopback.namedEndpoint('one'), two: await loopback.namedEndpoint('two') },
    whoAnswers: (host, port) => loopback.whoAnswers(port, host).catch(refusal),
    end: () => loopback.close(),
  }
})

function refusal(error: NodeJS.ErrnoException): string {
  if (error.code !== 'ECONNREFUSED') throw error
  return 'refused'
}
