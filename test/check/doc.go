// Package check tests coredns check: the command is called in this process, with the plugins of the lean build.
package check
