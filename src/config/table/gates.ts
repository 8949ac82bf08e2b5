// Feature gates that were asked for → a line for each that asks for other than what is built in.

/** The gates that matter to a service proxy, in any release since 1.20: whether Switchyard does what the gate stands for. */
const BUILT_IN: ReadonlyMap<string, boolean> = new Map(
  Object.entries({
    AllowServiceLBStatusOnNonLB: false,
    ComponentFlagz: true,
    ComponentStatusz: true,
    ContextualLogging: true,
    EndpointSlice: true,
    EndpointSliceNodeName: true,
    EndpointSliceProxying: true,
    EndpointSliceTerminatingCondition: true,
    ExternalPolicyForExternalIP: true,
    IPv6DualStack: true,
    KubeProxyDrainingTerminatingNodes: true,
    LoadBalancerIPMode: true,
    LoggingAlphaOptions: false,
    LoggingBetaOptions: true,
    MinimizeIPTablesRestore: true,
    MixedProtocolLBService: true,
    MultiCIDRServiceAllocator: true,
    NFTablesProxyMode: true,
    PreferSameTrafficDistribution: true,
    ProxyTerminatingEndpoints: true,
    SCTPSupport: true,
    ServiceInternalTrafficPolicy: true,
    ServiceLBNodePortControl: true,
    ServiceTopology: false,
    ServiceTrafficDistribution: true,
    SupportIPVSProxyMode: true,
    TopologyAwareHints: true,
    WatchListClient: true,
    WinDSR: false,
    WinOverlay: false,
    WindowsEndpointSliceProxying: false,
  }),
)

/** They stand for whole groups, none of which matters here. */
const GROUPS: readonly string[] = ['AllAlpha', 'AllBeta']

export function gateWarnings(asked: ReadonlyMap<string, boolean>): readonly string[] {
  return [...asked].flatMap(([gate, on]) => {
    const builtIn = BUILT_IN.get(gate)
    if (builtIn === on || GROUPS.includes(gate)) return []
    if (builtIn === undefined) return [`unrecognized feature gate: ${gate}; it is ignored`]
    return [`feature gate ${gate}=${on} has no effect: in Switchyard it is always ${builtIn ? 'on' : 'off'}`]
  })
}
