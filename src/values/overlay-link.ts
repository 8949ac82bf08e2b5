// The VXLAN link of this node, where its pods reach some of the other nodes by one. Its name does not depend on the VNI: who
// attaches a pod finds its MTU by it.

export const OVERLAY_LINK = 'switchyard-vx'
