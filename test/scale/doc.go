// The scale command measures what a large cluster costs a CoreDNS binary, with
// a real etcd and kube-apiserver on loopback, and prints one Markdown table.
//
// Usage: go run ./test/scale [-bin FILE] [-stock FILE] [-runs N] ...
//
// # The cluster
//
// By default it is the reference cluster: 100 namespaces, 10,000 Services of
// which 1,000 are headless, and 100,000 endpoints, ten in each EndpointSlice.
// All of it follows from the flags and a seed. Loading it takes minutes, so
// etcd's folder is kept in the user's cache folder as clusterdns/scale-HASH,
// where the hash stands for every byte of every object; later runs start from a
// copy of it. Old ones may be removed at any time.
//
// # A life
//
// Each run starts the binary anew with kubeadm's Corefile and takes it through
// one life: start, quiet, changes of one endpoint, a relist, and at last a
// forced garbage collection. With -stock the lives of the two binaries
// alternate. Every figure is the median of the runs, with the least and the
// greatest in brackets.
//
//   - Ready: from just before exec until /ready answers 200.
//   - CPU: the time on a CPU of all threads, from /proc/PID/task/*/schedstat.
//     Time spent waiting for a CPU comes from there too: it shows how much of a
//     figure is the machine's load.
//   - Peak RSS: VmHWM. It is set back before the relist. Its anonymous part is
//     looked at every 5 ms; the other part is pages of the binary, and differs
//     with the state of the page cache.
//   - Quiet: neither the RSS nor the CPU has moved for three seconds.
//   - Change seen after: from the API server's answer to a patch until the
//     first right answer over DNS, to a client that asks without a pause. That
//     client takes CPU time from the others.
//   - CPU per change: all changes once more, with nobody asking until the last
//     of them is done. It includes what the server does when idle, which has a
//     line of its own.
//   - Relist: the API server is killed and started again after etcd has been
//     compacted, so that no watch can go on where it was. It ends when a new
//     Service, a changed endpoint and, with -verified, a new Pod are seen, and
//     all is quiet. Meanwhile a client asks 100 times a second for 20 names
//     that do not change, and counts every answer that is not the right one.
//   - Read: what the process has read from files and sockets. All but a little
//     of it comes from the API server.
//   - Live heap: after garbage collections, which the pprof plugin forces.
//     Kubeadm's Corefile does not have it; it costs one idle listener.
//
// Nothing goes beyond the loopback interface. Whatever was started is killed
// at the end, also when the command is interrupted or killed itself. Only the
// latter leaves files behind, in a folder clusterdns-scale-* for temporary files
// or scale-loading-* in the cache.
package main
