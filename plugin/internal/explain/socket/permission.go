package socket

// Permission is what lets a server answer a command: a property of the Corefile, or "on" in a variable of
// the environment for Corefiles that somebody else writes.
type Permission struct{ Property, Variable string }

// The permissions of the commands.
var (
	Explain = Permission{"explain", "CLUSTERDNS_EXPLAIN"}
	Top     = Permission{"top", "CLUSTERDNS_TOP"}
)

// Needed says what an operator has to write, and where.
func (p Permission) Needed() string {
	return "write " + p.Property + " into the block of the directive kubernetes in its Corefile, or set " + p.Variable +
		"=on in its environment, with kubeadm: kubectl -n kube-system set env deployment/coredns " + p.Variable + "=on"
}
