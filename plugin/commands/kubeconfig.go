package commands

import "flag"

// kubeconfig has the flags that say whose rights a command has.
type kubeconfig struct{ file, context *string }

func kubeconfigFlags(flags *flag.FlagSet) kubeconfig {
	return kubeconfig{
		file:    flags.String("kubeconfig", "", "the kubeconfig; without, KUBECONFIG or ~/.kube/config"),
		context: flags.String("context", "", "the context of the kubeconfig; without, the one in use"),
	}
}

// given reports whether a user has chosen a cluster.
func (k kubeconfig) given() bool { return *k.file+*k.context != "" }
