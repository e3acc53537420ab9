// Package commands has the sub-commands of the server, such as coredns check. They print and return an exit
// code; what they print is found out by packages of their own.
package commands
