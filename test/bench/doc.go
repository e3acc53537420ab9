// The bench command measures what our server costs, beside stock CoreDNS, Knot
// DNS and NSD with the same names, and prints one Markdown table.
//
// Usage: make bench [QUICK=1] [ONLY=ours,stock] [SETS=service-a,mix] [PARTS=cpu] [BENCHFLAGS="-runs 3"]
package main
