// Package explain tests coredns explain: the command is called in this process, with manifests in place of a
// cluster.
package explain
