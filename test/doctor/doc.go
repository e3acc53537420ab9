// Package doctor examines with coredns doctor a cluster that has a real API server and real servers of ours as
// replicas, in which faults are planted one by one.
package doctor
