// Package steer makes the kernel send all packets for an address to one of the sockets that are
// bound to it, in a group of SO_REUSEPORT (socket(7)). A socket's index in its group cannot be
// read, and it changes when another socket of the group closes. So the package tries one index
// after another, with packets of its own.
package steer
