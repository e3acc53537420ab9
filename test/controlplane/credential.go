package controlplane

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// tokenLifetime of ServiceAccount tokens, longer than any test.
const tokenLifetime = 24 * time.Hour

// Credential proves a client's identity to the API server: by a token, or by a certificate
// with its key. The zero value is an anonymous client.
type Credential struct {
	Token    string
	CertFile string
	KeyFile  string
}

// Admin returns a credential that may do everything.
func (c *Cluster) Admin() Credential { return Credential{Token: c.token} }

// User returns the credential of any user: the API server takes the name and the groups
// from the certificate. The files fit the property "tls CERT KEY CA" of the Corefile.
func (c *Cluster) User(name string, groups ...string) (Credential, error) {
	certFile, keyFile, err := c.authority.client(name, groups)
	return Credential{CertFile: certFile, KeyFile: keyFile}, err
}

// ServiceAccount returns a token like that of a Pod with the ServiceAccount. It creates the
// ServiceAccount if needed; its namespace must exist.
func (c *Cluster) ServiceAccount(ctx context.Context, namespace, name string) (Credential, error) {
	accounts := c.client.CoreV1().ServiceAccounts(namespace)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := accounts.Create(ctx, account, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return Credential{}, fmt.Errorf("creating ServiceAccount %s/%s: %w", namespace, name, err)
	}
	seconds := int64(tokenLifetime.Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	reply, err := accounts.CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return Credential{}, fmt.Errorf("requesting token of ServiceAccount %s/%s: %w", namespace, name, err)
	}
	return Credential{Token: reply.Status.Token}, nil
}

// CAFile returns the path of the certificate authority that signed the API server's
// certificate.
func (c *Cluster) CAFile() string { return c.authority.file }

// Client returns a client with the rights of the administrator and without a limit on its
// request rate.
func (c *Cluster) Client() kubernetes.Interface { return c.client }

// AwaitRule waits until the API server allows a user to do something, or denies it: a rule
// takes effect some time after it is stored.
func (c *Cluster) AwaitRule(tb testing.TB, user string, what authorizationv1.ResourceAttributes, allowed bool) {
	tb.Helper()
	asked := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &what}}
	await.Success(tb, 10*time.Millisecond, 30*time.Second, func(ctx context.Context) error {
		review, err := c.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, asked, metav1.CreateOptions{})
		if err == nil && review.Status.Allowed != allowed {
			err = fmt.Errorf("%s may %s %s: %v", user, what.Verb, what.Resource, review.Status.Allowed)
		}
		return err
	})
}

// RESTConfig returns the administrator's client configuration.
func (c *Cluster) RESTConfig() *rest.Config { return c.RESTConfigFor(c.Admin()) }

// RESTConfigFor returns a client configuration with the credential.
func (c *Cluster) RESTConfigFor(credential Credential) *rest.Config {
	return &rest.Config{
		Host:        c.URL(),
		BearerToken: credential.Token,
		QPS:         -1,
		TLSClientConfig: rest.TLSClientConfig{
			CAFile:   c.CAFile(),
			CertFile: credential.CertFile,
			KeyFile:  credential.KeyFile,
		},
	}
}

// Kubeconfig writes a kubeconfig file with the credential and returns its path.
// The name of its only context is "test".
func (c *Cluster) Kubeconfig(credential Credential) (string, error) {
	const name = "test"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: c.URL(), CertificateAuthority: c.CAFile()}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{
		Token:             credential.Token,
		ClientCertificate: credential.CertFile,
		ClientKey:         credential.KeyFile,
	}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name

	file, err := os.CreateTemp(c.keyDir, "kubeconfig-")
	if err != nil {
		return "", err
	}
	defer file.Close()
	return file.Name(), clientcmd.WriteToFile(*config, file.Name())
}

// makeCredentials makes the credentials that the API server needs when it starts.
func (c *Cluster) makeCredentials() (err error) {
	if c.authority, err = newAuthority(c.keyDir); err != nil {
		return err
	}
	if c.servingCrt, c.servingKey, err = c.authority.server(); err != nil {
		return err
	}
	if err := newKeyFile(c.serviceAccountKey()); err != nil {
		return err
	}
	c.token = rand.Text()
	line := c.token + `,admin,admin,"system:masters"` + "\n"
	return os.WriteFile(c.tokenFile(), []byte(line), 0o600)
}

func (c *Cluster) tokenFile() string { return filepath.Join(c.keyDir, "tokens.csv") }

// makeClients makes the clients before there is a server: they connect at their first use.
func (c *Cluster) makeClients() (err error) {
	roots := x509.NewCertPool()
	roots.AddCert(c.authority.cert)
	c.http = &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true},
	}
	config := c.RESTConfig()
	config.WarningHandler = rest.NoWarnings{} // a fixture may be odd on purpose
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	c.client = client
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	c.dynamic, err = dynamic.NewForConfig(config)
	return err
}
