// The bench command measures what our server costs, beside stock CoreDNS, Knot
// DNS and NSD with the same names, on loopback, and prints one Markdown table.
//
// Usage: make bench [QUICK=1] [ONLY=ours,stock] [SETS=service-a,mix] [PARTS=cpu] [BEFORE=FILE] [BENCHFLAGS="-runs 3"]
//
// All flags: go run ./test/bench -h. doc/performance.md has the results and says
// how they are to be read.
//
// # The servers
//
//   - ours: our binary (-bin) with kubeadm's Corefile, metrics and all.
//   - chain: the same without sockets of its own (CLUSTERDNS_FASTPATH=off).
//   - before, before-chain: the same two of an earlier build of ours (-before).
//   - lines, stock-lines: our binary and CoreDNS's with two lines that people write,
//     "template ANY AAAA ." and one rule "rewrite name exact". They are asked for A of
//     Services, which neither line touches.
//   - top, top-chain: ours and chain, which count who asks what.
//   - handed, stock-handed: our binary and CoreDNS's with the plugin tsig, which has to
//     see every question, so the chain answers; our sockets still read.
//   - stock, multisocket: CoreDNS of the same version, built from its module with
//     the modules of our build; plain and with "multisocket 2".
//   - whoami: CoreDNS with that plugin in place of kubernetes, behind the same
//     plugins. No plugin can cost less there.
//   - knot, nsd: Debian's, with the same names in zone files.
//
// Those that know the names of the cluster watch a real API server with the
// reference cluster (package refcluster). Names outside the cluster come from a
// server in this process.
//
// # The parts
//
//   - cpu: /proc/PID/stat before and after a load of dnsperf from 16 sockets,
//     divided by the answers: with as many questions as get answered, and with
//     20,000 a second. Both use EDNS. The kernel's work for the loopback device is
//     in it, as far as it is done for the server.
//   - latency: package openloop, at half of stock's top load.
//   - transports: cpu over TCP, DNS over TLS and DNS over HTTPS.
//   - memory: a life of each binary, from the start through a relist (etcd is
//     compacted and the API server restarted, so that no watch can go on), a
//     reload, and a question for every name. Peak RSS is VmHWM; its anonymous part
//     is looked at every 5 ms, the other part is pages of the binary. Quiet means
//     that neither RSS nor CPU has moved for three seconds. The live heap is what
//     garbage collections leave, which the plugin pprof forces.
//   - changes: from the API server's answer to a change until the first right
//     answer over DNS to a client that asks without a pause, alone and while
//     other EndpointSlices change.
//   - search: package search, look-ups of outside names by a Pod's whole search path.
//     It has a table of its own and is measured only when it is named.
//   - fair: package fair, what polite clients lose while another floods the server. It has a table of
//     its own and is measured only when it is named: make bench PARTS=fair ONLY=ours,stock.
//   - watches: package watches, what the API server does for the watches of many nodes. It has a table
//     of its own and is measured only when it is named: make bench PARTS=watches.
//   - starts: package starts, from exec to the first answer where the server before was killed. It has a
//     table of its own and is measured only when it is named: make bench PARTS=starts QUICK=1, with
//     BENCHFLAGS='-busy 8' on a busy machine.
//
// # What makes a figure right
//
// The servers of the first two parts run side by side, and each load goes to one
// after the other, so that what the machine does meanwhile meets all. Before
// that, answers are compared with what the specification says of the cluster
// (package oracle). After each load, requests_total and the count of the
// durations must have grown by what dnsperf sent, less what was dropped and
// counted as such; if not, the table says so and the command fails.
//
// Nothing goes beyond the loopback interface, though servers listen on every
// address, as they do in a cluster. Whatever was started ends with this process.
// Killed, it leaves a folder clusterdns-bench-* for temporary files behind.
package main
