package apiserver

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// ErrNoKubeconfig is the error of a user without a kubeconfig.
var ErrNoKubeconfig = errors.New("there is no kubeconfig: expected one in the flag -kubeconfig, the variable KUBECONFIG or ~/.kube/config")

// userPatience is how long one request of a command may take.
const userPatience = 20 * time.Second

// UserConfig returns how a user's commands reach the API server, with the rights of the user. The kubeconfig is the
// one that kubectl would take: a file and a context of it, or where these are empty KUBECONFIG or ~/.kube/config
// and the context in use. Requests may be in JSON, and there is no limit on their rate.
func UserConfig(file, context string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = file
	rules.Warner = func(error) {}
	raw, err := rules.Load()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: expected a file with a kubeconfig: %w", redactError(err))
	}
	if len(raw.Clusters) == 0 {
		return nil, ErrNoKubeconfig
	}
	c, err := clientcmd.NewNonInteractiveClientConfig(*raw, context, &clientcmd.ConfigOverrides{CurrentContext: context}, rules).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", redactError(err, urlsOf(raw)...))
	}
	if err := separateUser(c); err != nil {
		return nil, err
	}
	c.UserAgent, c.WarningHandler, c.QPS, c.Timeout = userAgent(), rest.NoWarnings{}, -1, userPatience
	return c, nil
}
