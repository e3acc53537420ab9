// Package machine reports which addresses the machine has, and where sockets of other
// programs are bound. It keeps the kernel's lists of sockets (proc_net_udp(5)) out of
// package udp. It exists on Linux only.
package machine
