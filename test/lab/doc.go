// Package lab runs a real Kubernetes cluster of one or two nodes on this machine, with the
// server of this repository as its DNS, and with kubelet, kube-proxy, containerd and CNI,
// but without a container registry and without a network that leads out.
//
//	bin/lab up                        # or make lab; -nodes 2 for two nodes
//	bin/lab kubectl get pods -A
//	bin/lab down                      # or make lab-down; nothing is left
//
// A test connects to the running lab:
//
//	l, err := lab.Connect(ctx)
//	err = l.Apply(ctx, manifest)
//	out, err := l.Exec(ctx, "default", "client", "nslookup", "web")
//	connection, err := l.DialFrom(ctx, pod, "udp", lab.DNS)
//	err = l.Control().Stop(ctx, "kube-apiserver")
//
// # How it comes up
//
// Up installs missing Debian packages, builds what is not in the cache, and starts package
// node in namespaces of its own, unless it runs. Then it makes the images, imports them
// into containerd and applies deploy/kubernetes with the image of bin/coredns. A step does
// nothing if nothing has changed, so Up also updates the server in a running lab.
//
// # Requirements
//
// Linux, root, and on systems other than Debian the programs that Up names.
package lab
