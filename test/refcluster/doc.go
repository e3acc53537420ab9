// Package refcluster makes a large Kubernetes cluster for measurements, on a
// real etcd and kube-apiserver: 10,000 Services and 100,000 endpoints by default.
//
// All objects follow from a Shape and its seed. Loading them takes minutes, so
// etcd's folder is kept in the user's cache folder as clusterdns/refcluster-HASH,
// where the hash stands for every byte of every object; later starts work on a
// copy of it. Old ones may be removed at any time.
//
// There are no controllers and no nodes: what is written stays as it is.
package refcluster
