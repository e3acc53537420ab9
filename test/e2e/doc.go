// Package e2e has the tests on a real cluster: Pods that ask our server through kubelet's
// resolv.conf, kube-proxy and the network of a node (package lab), and Kubernetes' own
// end-to-end tests.
//
// They need a lab:
//
//	make e2e        # brings a lab up and down, and fails if it leaves anything
//	make lab && go test -tags e2e ./test/e2e -run TestName
//	make e2e-nodes  # the scenarios that need two nodes, which the others skip
//	make e2e-figures
//
// Each test has a namespace of its own. Tests that change the cluster's DNS restore it.
package e2e
