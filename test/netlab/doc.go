// Package netlab gives a test binary a machine of its own, on which DNS servers
// run as they do in a cluster.
//
// The test binary starts itself again in a network namespace, whose loopback
// device has the addresses that the test wants and from which no route leads
// out, and in a mount namespace, where /var/run is a file system in memory that
// keeps the temporary files too, and /etc/resolv.conf names a resolver on the
// loopback device. All of it is gone with the last process, and every process
// dies with the one that started it.
//
//	func TestMain(m *testing.M) {
//		flag.Parse()
//		os.Exit(netlab.Machine{Addrs: addrs, Resolver: resolver, Prepare: build}.Run(m))
//	}
//
//	env := netlab.MountAccount(t, cluster, "kube-system", "coredns")
//	server := netlab.StartServer(t, netlab.Server{Binary: path, Corefile: text, Env: env})
//	server.Eventually(t, netlab.Ready("127.0.0.1:8181"))
//
// StartContained also keeps from a server all files that its container does not have.
//
// The machine exists on Linux only.
package netlab
