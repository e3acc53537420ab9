// Package doctor examines the DNS of a cluster, and says of each thing that can go wrong whether it does.
//
// - [Run] has a table of checks. Each is a function of the [patient], from which it gets what it needs.
// - The patient is asked once for everything, however many checks want to know it: the Service, the Pods
// behind it, their Corefile, kubelet's settings, and of each replica its metrics and its answers.
// - It reads, with the rights of whoever runs it, and changes nothing. A check that may not see what it needs
// says so ([noLight]).
//
// The rule not to break: a check never guesses. What it has not seen is not green, and what may be meant is not red.
package doctor
