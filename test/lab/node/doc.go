// Package node runs one Kubernetes node with its control plane, in namespaces of its own, and
// on request a second node without one.
//
// Run is the first process of new process, mount, network and host name namespaces. It
// covers the places outside that the node writes to (/var/lib, /var/log, /run, resolv.conf,
// the kernel's settings), makes the network, and starts:
//
//	etcd, kube-apiserver, kube-controller-manager   package controlplane
//	kube-scheduler, kube-proxy, kubelet             one process each
//	containerd                                      Pods, by runc and a CNI plugin
//	upstream                                        the DNS of the outside world
//
// The network has no device that leads outside:
//
//	eth0  172.30.0.2  the node, one end of a veth pair whose other end is here too
//	cni0  10.244.0.1  the bridge of the Pods, 10.244.0.0/24, if they have the plugin bridge
//	10.96.0.0/16      Services, which kube-proxy's tables translate
//
// and the same in IPv6. A second node shares the processes and cgroups of the first one. Its
// eth0, 172.30.0.3, is the other end of that pair, and its Pods have 10.244.1.0/24. Each node
// has a route to the Pods of the other, so that no packet between Pods changes its address.
//
// When the first process ends, for any reason, the kernel ends all others and removes the
// mounts, the devices and the tables. Only the folder remains, and cgroups, which
// RemoveCgroups removes.
//
// A Control stops and starts the parts from outside.
package node
