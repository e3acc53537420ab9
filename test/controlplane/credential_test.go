package controlplane_test

import (
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const readServices = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: read-services}
rules: [{apiGroups: [""], resources: [services], verbs: [list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: read-services}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: read-services}
subjects:
- {kind: ServiceAccount, name: coredns, namespace: kube-system}
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: readers}
`

func TestCredentials(t *testing.T) {
	apply(t, cluster, readServices)
	account, err := cluster.ServiceAccount(t.Context(), "kube-system", "coredns")
	if err != nil {
		t.Fatal(err)
	}
	list := authorizationv1.ResourceAttributes{Verb: "list", Resource: "services"}
	cluster.AwaitRule(t, "system:serviceaccount:kube-system:coredns", list, true)
	tests := []struct {
		name       string
		credential controlplane.Credential
		user       string
		services   bool // may list Services
		pods       bool // may list Pods
	}{
		{"administrator", cluster.Admin(), "admin", true, true},
		{"ServiceAccount", account, "system:serviceaccount:kube-system:coredns", true, false},
		{"user in a group", user(t, "alice", "readers"), "alice", true, false},
		{"user in no group", user(t, "bob"), "bob", false, false},
		{"nobody", controlplane.Credential{}, "system:anonymous", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := clientFromFile(t, tt.credential)
			if tt.user != "system:anonymous" { // who may not ask for its own name
				wantUser(t, client, tt.user)
			}
			_, err := client.CoreV1().Services("").List(t.Context(), metav1.ListOptions{})
			wantAllowed(t, "services", err, tt.services)
			_, err = client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
			wantAllowed(t, "pods", err, tt.pods)
		})
	}
}

func TestServerVersion(t *testing.T) {
	version, err := cluster.Client().Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if version.Major != "1" || version.GitVersion == "v0.0.0-master+$Format:%H$" {
		t.Errorf("version = %v, want the one of the module", version)
	}
}

func user(t *testing.T, name string, groups ...string) controlplane.Credential {
	t.Helper()
	credential, err := cluster.User(name, groups...)
	if err != nil {
		t.Fatal(err)
	}
	return credential
}

func clientFromFile(t *testing.T, credential controlplane.Credential) kubernetes.Interface {
	t.Helper()
	path, err := cluster.Kubeconfig(credential)
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func wantUser(t *testing.T, client kubernetes.Interface, want string) {
	t.Helper()
	reviews := client.AuthenticationV1().SelfSubjectReviews()
	review, err := reviews.Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := review.Status.UserInfo.Username; got != want {
		t.Errorf("user = %s, want %s", got, want)
	}
}

func wantAllowed(t *testing.T, what string, err error, allowed bool) {
	t.Helper()
	if allowed && err != nil {
		t.Errorf("listing %s: %v", what, err)
	}
	if !allowed && !apierrors.IsForbidden(err) {
		t.Errorf("listing %s: got error %v, want forbidden", what, err)
	}
}
