// Package deploy holds what is installed: the kustomize base for a cluster and the manifests of the demo.
//
// It has no code. Its tests hold the base to kubeadm's add-on field by field, since a cluster takes our image
// with everything else left as kubeadm made it, and keep the demo a cluster that could exist. They are a module
// of their own because nothing else needs kustomize.
package deploy
