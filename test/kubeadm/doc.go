// Package kubeadm has kubeadm itself upgrade a cluster whose DNS is our image: the whole of kubeadm upgrade apply, from the
// first check to the last phase.
//
// There is a real API server, and no node. kubeadm finds the files of one below a folder that it takes for the root
// (--rootfs): certificates and static Pods' manifests that it has written itself, and kubelet's configuration. The Pods that
// kubelet would make of the manifests are objects here. The checks that ask a container runtime or kubelet are left out by
// name. kubeadm upgrades to its own version, so the manifests stay as they are, and it restarts nothing.
//
// What Pods are answered while kubeadm changes the image is seen in test/e2e, which has a node, and runs the phase of the add-on.
package kubeadm
