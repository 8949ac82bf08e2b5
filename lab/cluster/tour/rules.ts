// A mode of the proxy → how a person finds the rules of a Service on a node, and breaks them.

export interface Rules {
  /** Shows what there is for db-service. */
  readonly ofDatabase: string
  /** Prints how many endpoints the node port of web has. */
  readonly endpointsOfWeb: string
  /** Deletes what packets to all Services begin with. */
  readonly breakAll: string
}

export type Mode = 'iptables' | 'nftables' | 'ipvs' | 'userspace'

interface Addresses {
  readonly clusterIP: string
  /** Of the first node. */
  readonly node: string
  /** Of web. */
  readonly nodePort: number
}

export function rulesOf(mode: Mode, { clusterIP, node, nodePort }: Addresses): Rules {
  const iptables = {
    ofDatabase: 'node-1 iptables -t nat -L | grep db-service',
    endpointsOfWeb: "node-1 iptables -t nat -S | grep -c 'default/web:http -> '",
    breakAll: 'node-1 iptables -t nat -F KUBE-SERVICES',
  }
  switch (mode) {
    case 'iptables':
      return iptables
    case 'userspace': {
      // The rules lead to the agent, which knows the endpoints.
      const endpointsOfWeb = `for i in 1 2 3 4 5 6; do outside ask ${node} ${nodePort}; done | sort -u | wc -l`
      return { ...iptables, endpointsOfWeb, breakAll: 'node-1 iptables -t nat -F KUBE-PORTALS-CONTAINER' }
    }
    case 'nftables':
      return {
        ofDatabase: `node-1 nft list table ip kube-proxy | grep -F '${clusterIP} .'`,
        endpointsOfWeb: "node-1 nft list map ip kube-proxy endpoints-tcp | grep -c ' 8080'",
        breakAll: 'node-1 nft flush map ip kube-proxy service-ips',
      }
    case 'ipvs':
      return {
        ofDatabase: `node-1 ipvsadm -Ln -t ${clusterIP}:3306`,
        endpointsOfWeb: `node-1 ipvsadm -Ln -t ${node}:${nodePort} | grep -c Masq`,
        breakAll: 'node-1 ipvsadm -C',
      }
  }
}
