// Package clustertest makes clusters for tests: from text, at random, and of the size that
// benchmarks refer to.
package clustertest
