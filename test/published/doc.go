// Package published asks the plugin k8s_gateway of others and ours the same questions, and wants
// the same answers.
//
//	                     +--watch-- CoreDNS with k8s_gateway 1.6.0 --+
//	kube-apiserver, etcd |                                           |-- the same question to both,
//	  published names    +--watch-- this process, with ours ---------+   the two answers compared
//
// The API server has the CustomResourceDefinitions of the Gateway API and of external-dns, and some
// hundred objects that give names to the world: what authors of Ingresses, routes, Services and
// DNSEndpoints write, with what controllers say of it in statuses, and one of each kind of object
// for every listed difference. Some of them change, go and come, and all is asked again.
//
// What ours must answer is known from how the objects are made (model_test.go), so that a difference
// cannot hide a fault of ours. What the other answers is explained by the entries of the section
// k8s_gateway in doc/differences.md: each has a matcher (reasons_test.go), or a test that is named
// there. An answer that differs and that no matcher explains fails the test, and so does a matcher
// that explains nothing.
//
// The other is built once into the user's cache folder, with the dependencies that it was released
// with; the hash of its version is in package stock, as the checksum database does not know it.
package published
