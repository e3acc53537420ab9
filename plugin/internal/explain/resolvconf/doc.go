// Package resolvconf says what kubelet writes into the resolv.conf of a Pod, and for which names a resolver asks by it.
//
// It follows pkg/kubelet/network/dns in Kubernetes, its bounds too. The rule not to break: what no object has, such as
// the resolvers of a node, is left out and not guessed.
package resolvconf
