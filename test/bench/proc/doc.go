// Package proc reads from /proc what processes and the machine use. It exists
// on Linux only; elsewhere every reading fails.
package proc
