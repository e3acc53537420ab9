package socket

// Permission is what lets a server answer a command: a property of the Corefile, or "on" in a variable of
// the environment for Corefiles that somebody else writes.
type Permission struct{ Property, Variable string }

// The permissions of the commands.
var (
	Explain = Permission{"explain", "CLUSTERDNS_EXPLAIN"}
	Top     = Permission{"top", "CLUSTERDNS_TOP"}
)

// Grant returns the line for a shell that sets the variable in a cluster that kubeadm has made.
func (p Permission) Grant() string {
	return "kubectl -n kube-system set env deployment/coredns " + p.Variable + "=on"
}
