//go:build !linux

package thrift

// unmapProgram does nothing: only Linux has the files and the call for it.
func unmapProgram() {}
