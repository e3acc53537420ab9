// Package lab is a real Kubernetes cluster of one node on this machine, whose DNS
// is the server of this repository: with kubelet, kube-proxy, containerd and CNI,
// without a container registry and without a network that leads out.
//
//	bin/lab up                        # or make lab
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
// Up installs the Debian packages that are missing, builds what is not in the
// cache, and starts package node in namespaces of its own, unless it runs. Then
// it makes the images, imports them into containerd and applies
// deploy/kubernetes with the image of bin/coredns. Each step does nothing where
// nothing changed, so Up is also how a changed server gets into the lab.
//
// # What is needed
//
// Linux, root, and on other systems than Debian the programs that Up names.
package lab
