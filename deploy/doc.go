// Package deploy has the files to install: the kustomize base for a cluster and the
// manifests of the demo.
//
// It has no code. Its tests compare the base with kubeadm's add-on field by field, because
// a cluster takes our image and keeps everything else as kubeadm made it. They also check
// that the demo could be a real cluster. The tests are a module of their own, because
// nothing else needs kustomize.
package deploy
