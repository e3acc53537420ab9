package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// server is an API server with answers by path and selector.
type server struct {
	answers   map[string]string
	forbidden []string
	asked     []string
}

func (s *server) Read(_ context.Context, path string, query map[string]string) ([]byte, error) {
	asked := path
	for _, name := range []string{"labelSelector", "fieldSelector", "continue"} {
		if query[name] != "" {
			asked += "?" + query[name]
		}
	}
	s.asked = append(s.asked, asked)
	if slices.Contains(s.forbidden, asked) {
		return nil, apierrors.NewForbidden(schema.GroupResource{Resource: "things"}, "x", errors.New("no"))
	}
	if text, ok := s.answers[asked]; ok {
		return []byte(text), nil
	}
	if len(query) > 0 {
		return []byte(`{"items": []}`), nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "things"}, "x")
}

func cluster() *server {
	return &server{answers: map[string]string{
		"/api/v1/namespaces/shop":              `{"metadata": {"name": "shop", "labels": {"team": "a"}}}`,
		"/api/v1/namespaces/shop/services/db":  `{"metadata": {"name": "db", "namespace": "shop"}, "spec": {"clusterIP": "None", "selector": {"app": "db"}}}`,
		"/api/v1/namespaces/shop/services/cip": `{"metadata": {"name": "cip", "namespace": "shop"}, "spec": {"clusterIP": "10.0.0.1", "selector": {"app": "db"}}}`,
		"/api/v1/namespaces/shop/services/out": `{"metadata": {"name": "out", "namespace": "shop"}, "spec": {"type": "ExternalName", "externalName": "db.shop.svc.cluster.local."}}`,
		"/api/v1/namespaces/shop/pods?app=db": `{"items": [{"metadata": {"name": "db-0", "namespace": "shop", "annotations": {"a": "secret-note"}},
			"spec": {"hostname": "db-0", "containers": [{"env": [{"name": "PASSWORD", "value": "secret-word"}]}]}, "status": {"phase": "Running", "hostIP": "192.0.2.1"}}]}`,
		"/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?kubernetes.io/service-name=db": `{"items": [{"metadata": {"name": "db-x", "namespace": "shop"}, "addressType": "IPv4", "endpoints": []}]}`,
		"/api/v1/services?metadata.name=queue":                                                   `{"items": [{"metadata": {"name": "queue", "namespace": "data"}, "spec": {"clusterIP": "10.0.0.2"}}]}`,
	}}
}

func touch(t *testing.T, s *server, w Wanted) (*Fetcher, string, string) {
	t.Helper()
	f := New(s)
	target, err := f.Touch(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "objects.json")
	if err := f.Write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return f, target, string(text)
}

// Only what a name touches is read, and of a Pod no secrets.
func TestTouch(t *testing.T) {
	for _, tc := range []struct {
		name       string
		wanted     Wanted
		asked      []string
		has, hasnt []string
		target     string
	}{
		{"headless", Wanted{"shop", "db", "db-7"}, []string{
			"/api/v1/namespaces/shop", "/api/v1/namespaces/shop/services/db", "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?kubernetes.io/service-name=db",
			"/api/v1/namespaces/shop/pods?app=db", "/api/v1/namespaces/shop/pods/db-7", "/api/v1/namespaces/shop/events?reason=Unhealthy",
		}, []string{`"kind":"EndpointSlice"`, `"apiVersion":"discovery.k8s.io/v1"`, `"hostname":"db-0"`, `"team":"a"`}, []string{"secret", "192.0.2.1"}, ""},
		{"ClusterIP", Wanted{"shop", "cip", ""}, []string{
			"/api/v1/namespaces/shop", "/api/v1/namespaces/shop/services/cip", "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?kubernetes.io/service-name=cip",
		}, []string{"10.0.0.1"}, []string{"db-0"}, ""},
		{"alias", Wanted{"shop", "out", ""}, []string{"/api/v1/namespaces/shop", "/api/v1/namespaces/shop/services/out"}, []string{"externalName"}, nil, "db.shop.svc.cluster.local"},
		{"missing, but elsewhere", Wanted{"shop", "queue", ""}, []string{
			"/api/v1/namespaces/shop", "/api/v1/namespaces/shop/services/queue", "/api/v1/services?metadata.name=queue", "/api/v1/namespaces/shop/services", "/api/v1/namespaces/shop/pods/queue",
		}, []string{`"namespace":"data"`}, nil, ""},
		{"the name of a Namespace", Wanted{"none", "", ""}, []string{"/api/v1/namespaces/none", "/api/v1/services?metadata.name=none"}, []string{`"items":[]`}, nil, ""},
	} {
		s := cluster()
		f, target, text := touch(t, s, tc.wanted)
		if !slices.Equal(s.asked, tc.asked) || target != tc.target || len(f.Unseen)+len(f.Blind) > 0 {
			t.Errorf("%s: asked %q, target %q, not seen %q, blind %v", tc.name, s.asked, target, f.Unseen, f.Blind)
		}
		for _, w := range tc.has {
			if !strings.Contains(text, w) {
				t.Errorf("%s: without %q: %s", tc.name, w, text)
			}
		}
		for _, w := range tc.hasnt {
			if strings.Contains(text, w) {
				t.Errorf("%s: with %q: %s", tc.name, w, text)
			}
		}
	}
}

// What may not be seen is not missing.
func TestForbidden(t *testing.T) {
	for _, tc := range []struct {
		forbidden, unseen, blind string
		wanted                   Wanted
	}{
		{"/api/v1/namespaces/shop", "Namespace shop", "", Wanted{"shop", "db", ""}}, // it has a Service, so it is there
		{"/api/v1/namespaces/shop/services/db", "Service db of Namespace shop", "Services", Wanted{"shop", "db", ""}},
		{"/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?kubernetes.io/service-name=db", "endpointslices of Namespace shop", "endpointslices", Wanted{"shop", "db", ""}},
		{"/api/v1/namespaces/shop/pods?app=db", "pods of Namespace shop", "", Wanted{"shop", "db", ""}},
		{"/api/v1/services?metadata.name=queue", "services", "", Wanted{"shop", "queue", ""}},
	} {
		s := cluster()
		s.forbidden = []string{tc.forbidden}
		f, _, text := touch(t, s, tc.wanted)
		if !slices.Equal(f.Unseen, []string{tc.unseen}) || f.Blind["shop"] != tc.blind {
			t.Errorf("%s: not seen %q, blind %v", tc.forbidden, f.Unseen, f.Blind)
		}
		if !strings.Contains(text, `"name":"shop"`) {
			t.Errorf("%s: without the Namespace: %s", tc.forbidden, text)
		}
	}
}

// Long lists are read in pages up to a bound, which is said, and so are requests.
func TestBounds(t *testing.T) {
	s := cluster()
	item := `{"metadata": {"name": "p%d", "namespace": "shop"}}`
	for n := range 3 {
		var items []string
		for i := range pageSize {
			items = append(items, fmt.Sprintf(item, n*pageSize+i))
		}
		page := "/api/v1/namespaces/shop/pods?app=db"
		if n > 0 {
			page += fmt.Sprintf("?page%d", n)
		}
		s.answers[page] = fmt.Sprintf(`{"metadata": {"continue": "page%d"}, "items": [%s]}`, n+1, strings.Join(items, ","))
	}
	f, _, text := touch(t, s, Wanted{"shop", "db", ""})
	if got := strings.Count(text, `"kind":"Pod"`); got != maxListed || !slices.Equal(f.Unseen, []string{"more than 1000 pods of Namespace shop"}) {
		t.Errorf("%d Pods, %q", got, f.Unseen)
	}
	for i := 0; ; i++ {
		if _, err := f.Touch(t.Context(), Wanted{Namespace: fmt.Sprint("n", i)}); errors.Is(err, errTooMany) {
			break
		} else if err != nil || i > maxRequests {
			t.Fatalf("%d requests: %v", i, err)
		}
	}
	if len(s.asked) > maxRequests {
		t.Errorf("%d requests", len(s.asked))
	}
}

// A Namespace that the user may not see is not said to be missing.
func TestAbsent(t *testing.T) {
	s := cluster()
	s.forbidden = []string{"/api/v1/namespaces/hidden"}
	f, _, _ := touch(t, s, Wanted{"hidden", "db", ""})
	for namespace, want := range map[string]string{"hidden": "Namespace hidden does not exist, or you may not see it", "gone": "Namespace gone does not exist"} {
		if got := f.Absent(namespace); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
