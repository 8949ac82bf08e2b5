import { PaperListeners } from '#lab/paper/listeners.ts'
import { listenersContract } from '../../contracts/listeners.ts'

const WHY = 'it has no sockets'

listenersContract(
  async () => ({
    listeners: new PaperListeners({ addresses: ['127.0.0.1', '127.0.0.2', '::1'] }),
    ...{ host: '127.0.0.1', otherHost: '127.0.0.2', endpoints: { one: '127.0.0.1:1', two: '127.0.0.1:2' } },
    whoAnswers: () => Promise.reject(new Error(WHY)),
    end: async () => {},
  }),
  {
    'a client reaches the endpoints of the pool, and after a change the new ones': WHY,
    'a client is answered at every address where the pool says none': WHY,
    'a client is refused where a listener has gone or closed': WHY,
  },
)
