// Package patient has what is known of the DNS of a cluster: the Service, the Pods behind it, their Corefile, kubelet's
// settings, and of each replica its metrics and its answers. Each is asked for once, however many want to know it.
package patient
