package live

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// user is the identity of a server for the API server. Each test has its own, so that it
// sees only the requests of its own server.
type user struct {
	name       string
	cluster    *cluster
	credential controlplane.Credential
}

// watched are all resources that a server may watch.
var watched = []string{"services", "namespaces", "endpointslices", "pods"}

// user makes a user with the rights that kubeadm grants to CoreDNS.
func (c *cluster) user(t *testing.T, name string) *user {
	t.Helper()
	u := c.stranger(t, name)
	u.grant(t, watched...)
	return u
}

// stranger makes a user without any rights.
func (c *cluster) stranger(t *testing.T, name string) *user {
	t.Helper()
	credential, err := c.User(name, auditors)
	if err != nil {
		t.Fatal(err)
	}
	return &user{name: name, cluster: c, credential: credential}
}

const role = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: NAME}
rules:
- {apiGroups: ["", discovery.k8s.io], resources: [RESOURCES], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: NAME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: NAME}]
`

// role returns the objects that let the user list and watch the resources.
func (u *user) role(resources ...string) string {
	return strings.NewReplacer("NAME", u.name, "RESOURCES", strings.Join(resources, ", ")).Replace(role)
}

// grant lets the user list and watch the resources, and waits until that takes effect: an
// earlier request is refused, and the server then waits before it tries again.
func (u *user) grant(t *testing.T, resources ...string) {
	t.Helper()
	u.cluster.apply(t, u.role(resources...))
	list := authorizationv1.ResourceAttributes{Verb: "list", Resource: resources[0]}
	u.cluster.AwaitRule(t, u.name, list, true)
}

// direct returns Corefile lines for a direct connection to the API server.
func (u *user) direct(t *testing.T) string {
	t.Helper()
	path, err := u.cluster.Kubeconfig(u.credential)
	if err != nil {
		t.Fatal(err)
	}
	return "kubeconfig " + path
}

// by returns Corefile lines for a connection to the API server through a link.
func (u *user) by(l *link) string {
	return fmt.Sprintf("endpoint https://%s\n tls %s %s %s", l.addr, u.credential.CertFile, u.credential.KeyFile, u.cluster.CAFile())
}

// event is a line of the audit log.
type event struct {
	Stage      string
	Verb       string
	RequestURI string
	User       struct{ Username string }
	ObjectRef  struct{ Resource string }

	ResponseStatus struct{ Code int }
}

// request returns the request as text, such as "list pods". A list at the beginning of a
// watch is "stream pods".
func (e *event) request() string {
	verb := e.Verb
	if strings.Contains(e.RequestURI, "sendInitialEvents=true") {
		verb = "stream"
	}
	return verb + " " + e.ObjectRef.Resource
}

// events returns the user's requests so far, each at its beginning and at its end.
func (u *user) events(t *testing.T) []event {
	t.Helper()
	file, err := os.Open(u.cluster.path("audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []event
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var e event
		// The last line may be incomplete, and is complete the next time.
		if err := json.Unmarshal(lines.Bytes(), &e); err == nil && e.User.Username == u.name {
			all = append(all, e)
		}
	}
	return all
}

// requests returns the user's requests, in the order in which they began.
func (u *user) requests(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, e := range u.events(t) {
		if e.Stage == "RequestReceived" {
			all = append(all, e.request())
		}
	}
	return all
}

// awaitRefusals waits until the user has been refused a resource so many times.
func (u *user) awaitRefusals(t *testing.T, resource string, want int) {
	t.Helper()
	eventually(t, func() error {
		n := 0
		for _, e := range u.events(t) {
			if e.ObjectRef.Resource == resource && e.ResponseStatus.Code == http.StatusForbidden {
				n++
			}
		}
		if n < want {
			return fmt.Errorf("%d requests for %s were refused, want %d", n, resource, want)
		}
		return nil
	})
}
