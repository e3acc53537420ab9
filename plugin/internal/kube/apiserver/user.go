package apiserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
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
func UserConfig(file, contextName string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = file
	rules.Warner = func(error) {}
	raw, err := rules.Load()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: expected a file with a kubeconfig: %w", redactError(err))
	}
	if len(raw.Clusters) == 0 {
		return nil, withoutCluster(rules)
	}
	c, err := clientcmd.NewNonInteractiveClientConfig(*raw, contextName, &clientcmd.ConfigOverrides{CurrentContext: contextName}, rules).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", redactError(err, urlsOf(raw)...))
	}
	if err := separateUser(c); err != nil {
		return nil, err
	}
	c.UserAgent, c.WarningHandler, c.QPS, c.Timeout = userAgent(), rest.NoWarnings{}, -1, userPatience
	return c, nil
}

// withoutCluster is the error of a user whose kubeconfig has no cluster. A file that the user has named is at fault.
func withoutCluster(rules *clientcmd.ClientConfigLoadingRules) error {
	named := rules.ExplicitPath != "" || os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != ""
	for _, file := range rules.GetLoadingPrecedence() {
		if _, err := os.Stat(file); named && err == nil {
			return fmt.Errorf("kubeconfig %s: it has no cluster: expected an entry below clusters, with the address of its server", file)
		}
	}
	return ErrNoKubeconfig
}

// UserClient reads objects with the rights of a user.
type UserClient struct{ rest rest.Interface }

// NewUserClient makes a client as UserConfig says. It contacts no server.
func NewUserClient(file, contextName string) (*UserClient, error) {
	about, err := UserConfig(file, contextName)
	if err != nil {
		return nil, err
	}
	c, err := JSONClient(about)
	if err != nil {
		return nil, err
	}
	return &UserClient{c}, nil
}

// NewPodClient makes a client with the rights of the ServiceAccount of the Pod that this process runs in. It contacts no
// server, and fails outside a Pod.
func NewPodClient() (*UserClient, error) {
	about, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	about.UserAgent, about.WarningHandler, about.Timeout = userAgent(), rest.NoWarnings{}, userPatience
	c, err := JSONClient(about)
	if err != nil {
		return nil, err
	}
	return &UserClient{c}, nil
}

// JSONClient makes a client that gets objects of any group, in JSON. It sets what that needs in the configuration.
func JSONClient(about *rest.Config) (*rest.RESTClient, error) {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"}) // for what the API server says of failures
	about.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	about.ContentType = runtime.ContentTypeJSON
	c, err := rest.UnversionedRESTClientFor(about)
	if err != nil {
		return nil, redactError(err)
	}
	return c, nil
}

// Read reads from a path of the API, in JSON. Its errors are those of Kubernetes, or an UnaskedError.
func (c *UserClient) Read(ctx context.Context, path string, query map[string]string) ([]byte, error) {
	request := c.rest.Get().AbsPath(path)
	for name, value := range query {
		request = request.Param(name, value)
	}
	body, err := request.Do(ctx).Raw()
	if err != nil {
		return nil, redactError(Unasked(err))
	}
	return body, nil
}
