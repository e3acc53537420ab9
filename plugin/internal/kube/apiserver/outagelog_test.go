package apiserver

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestServerIsLostAndBack(t *testing.T) {
	r, log, _ := newTestLog()
	r.reachable("/services")
	log.Expect(t)
	for range 5 {
		r.unreachable("connection refused")
	}
	lost := "WARNING API server https://10.96.0.1:443 cannot be reached, retrying: connection refused"
	log.Expect(t, lost)
	for range 5 {
		r.reachable("/services")
	}
	log.Expect(t, lost, "INFO API server https://10.96.0.1:443 answers again")
}

var (
	services = Kind{Name: "services", Resource: "services"}
	imports  = Kind{Name: "serviceimports", Group: "multicluster.x-k8s.io", Resource: "serviceimports", Optional: true}
)

const (
	noImports  = "WARNING the API server has no serviceimports.multicluster.x-k8s.io, continuing without them: they will be watched once their CustomResourceDefinition is installed"
	hasImports = "INFO the API server has serviceimports.multicluster.x-k8s.io now"
)

func forbidden(resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Group: "discovery.k8s.io", Resource: resource}, "",
		errors.New(`User "system:serviceaccount:kube-system:coredns" cannot list resource "endpointslices" in API group "discovery.k8s.io" at the cluster scope`))
}

func TestForbidden(t *testing.T) {
	r, log, clock := newTestLog()
	slices := Kind{Name: "endpointslices", Group: "discovery.k8s.io", Resource: "endpointslices"}
	ctx := context.Background()

	r.Failed(ctx, "watch", slices, forbidden("endpointslices"))
	r.Failed(ctx, "list", slices, forbidden("endpointslices"))
	log.Expect(t) // a server that has just started
	clock.Step(patience)
	r.Failed(ctx, "list", slices, forbidden("endpointslices"))
	told := `ERROR not allowed to list endpointslices: a ClusterRole must grant the verbs list and watch on resource "endpointslices" in apiGroup "discovery.k8s.io": ` +
		`endpointslices.discovery.k8s.io is forbidden: User "system:serviceaccount:kube-system:coredns" cannot list resource "endpointslices" in API group "discovery.k8s.io" at the cluster scope`
	log.Expect(t, told)
	for range 5 {
		clock.Step(time.Minute)
		r.Failed(ctx, "watch", slices, forbidden("endpointslices"))
		r.Failed(ctx, "list", slices, forbidden("endpointslices"))
		r.Watched(services)
	}
	log.Expect(t, told)
	r.Watched(slices)
	r.Watched(slices)
	log.Expect(t, told, "INFO endpointslices can be watched again")
}

func TestWhatIsNotReported(t *testing.T) {
	r, log, clock := newTestLog()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for range 2 {
		r.Failed(over, "watch", services, forbidden("services"))
		for _, err := range []error{
			&url.Error{Op: "Get", URL: "x", Err: errors.New("connection refused")},
			apierrors.NewTooManyRequests("slowly", 1),
			apierrors.NewServiceUnavailable("starting"),
		} {
			r.Failed(context.Background(), "watch", services, err)
		}
		clock.Step(time.Minute)
	}
	r.Watched(services)
	log.Expect(t)
}

func TestOtherErrors(t *testing.T) {
	r, log, clock := newTestLog()
	for range 3 {
		r.Failed(context.Background(), "list", services, errors.New("nonsense"))
		clock.Step(time.Minute)
	}
	log.Expect(t, "ERROR cannot list services: nonsense")
}

// A server without streaming lists refuses each of them. A plain list and a watch follow,
// so nothing is logged.
func TestRefusedStreamingListIsNotReported(t *testing.T) {
	r, log, clock := newTestLog()
	for range 3 {
		r.Failed(context.Background(), "watch", services, apierrors.NewInvalid(schema.GroupKind{Kind: "ListOptions"}, "", nil))
		r.Watched(services)
		clock.Step(time.Minute)
	}
	log.Expect(t)
}

func TestMissingKind(t *testing.T) {
	r, log, clock := newTestLog()
	ctx := context.Background()
	failed := func(err error, told bool) {
		t.Helper()
		for range 3 {
			if got := r.Failed(ctx, "list", imports, err); got != told {
				t.Errorf("%v: told %v", err, got)
			}
		}
	}
	missing := apierrors.NewNotFound(schema.GroupResource{Group: "multicluster.x-k8s.io", Resource: "serviceimports"}, "")
	failed(missing, true)
	log.Expect(t, noImports)
	r.Watched(imports)
	log.Expect(t, noImports, hasImports)

	// First the right is missing, then the kind.
	failed(forbidden("serviceimports"), false)
	clock.Step(patience)
	failed(forbidden("serviceimports"), true)
	failed(missing, true)
	lines := log.All()
	if len(lines) != 4 || !strings.Contains(lines[2], "not allowed to list serviceimports") || lines[3] != noImports {
		t.Errorf("log: %q", lines)
	}
	failed(&url.Error{Op: "Get", URL: "x", Err: errors.New("connection refused")}, false)
}

// For a kind that every server has, 404 is an error like any other.
func TestNotFound(t *testing.T) {
	r, log, clock := newTestLog()
	for range 3 {
		r.Failed(context.Background(), "list", services, apierrors.NewNotFound(schema.GroupResource{Resource: "services"}, ""))
		clock.Step(time.Minute)
	}
	log.Expect(t, `ERROR cannot list services: services "" not found`)
}

// C3: an outage whose reason changes gets one line for each reason, however often it recurs
// and whatever port or time is in it.
func TestC3EachReasonOnce(t *testing.T) {
	r, log, _ := newTestLog()
	refused := "dial tcp 10.96.0.1:443: connect: connection refused"
	authority := "tls: failed to verify certificate: x509: certificate signed by unknown authority"
	for range 3 {
		r.unreachable(refused)
		r.unreachable(authority)
		r.unreachable("read tcp 10.0.0.9:41234->10.96.0.1:443: read: connection reset by peer")
		r.unreachable("read tcp 10.0.0.9:52345->10.96.0.1:443: read: connection reset by peer")
	}
	line := "WARNING API server https://10.96.0.1:443 cannot be reached, retrying: "
	again := "INFO API server https://10.96.0.1:443 answers again"
	want := []string{line + refused, line + authority, line + "read tcp 10.0.0.9:41234->10.96.0.1:443: read: connection reset by peer"}
	log.Expect(t, want...)
	r.reachable("/services")
	r.unreachable(authority)
	log.Expect(t, append(want, again, line+authority)...)
	for i := range 100 {
		r.unreachable(strings.Repeat("x", i))
	}
	if n := len(log.All()); n > 5+maxReasons {
		t.Errorf("%d lines", n)
	}
}

// C3: the same holds for the trouble of a kind.
func TestC3EachReasonOfAKindOnce(t *testing.T) {
	r, log, clock := newTestLog()
	for range 3 {
		for _, text := range []string{"unexpected EOF", "no kind", "unexpected EOF"} {
			r.Failed(t.Context(), "list", services, errors.New(text))
			clock.Step(time.Minute)
		}
	}
	log.Expect(t, "ERROR cannot list services: unexpected EOF", "ERROR cannot list services: no kind")
}

// C2: an error that is part of the protocol is logged if it lasts.
func TestC2ProtocolErrorsThatLast(t *testing.T) {
	for text, err := range map[string]error{
		"too old":                             apierrors.NewResourceExpired("too old"),
		"Timeout: Too large resource version": apierrors.NewTimeoutError("Too large resource version", 1),
	} {
		r, log, clock := newTestLog()
		for range 30 {
			r.Failed(t.Context(), "watch", services, err)
			clock.Step(time.Second)
		}
		log.Expect(t)
		r.Failed(t.Context(), "watch", services, err)
		r.Failed(t.Context(), "watch", services, err)
		log.Expect(t, "ERROR cannot watch services: "+text)
	}
}

// C2: a server without room for our requests gets one line, whatever it does with other
// requests.
func TestC2TooManyRequests(t *testing.T) {
	r, log, clock := newTestLog()
	r.refused("/services", "429 Too Many Requests")
	r.accepted("/services")
	clock.Step(time.Minute)
	log.Expect(t)
	told := "WARNING API server https://10.96.0.1:443 refuses our requests because it has too many, retrying: 429 Too Many Requests"
	for range 5 {
		r.refused("/services", "429 Too Many Requests")
		r.refused("/pods", "429 Too Many Requests")
		r.accepted("/namespaces")
		clock.Step(time.Second)
	}
	log.Expect(t, told)
	r.accepted("/services")
	log.Expect(t, told)
	r.accepted("/pods")
	log.Expect(t, told, "INFO API server https://10.96.0.1:443 accepts requests again")
}

// C4: net/http repeats a bad proxy URL from the environment in its errors.
func TestC4PasswordInAReason(t *testing.T) {
	r, log, clock := newTestLog()
	r.unreachable(`invalid proxy address "http://someone:a s3cret@proxy": parse "http://someone:a s3cret@proxy": net/url: invalid userinfo`)
	for range 2 {
		r.Failed(t.Context(), "list", services, errors.New(`for request http://someone:s3cret@host/api, got status: 418`))
		clock.Step(patience)
	}
	for _, line := range log.All() {
		if strings.Contains(line, "s3cret") {
			t.Error(line)
		}
	}
	if len(log.All()) != 2 {
		t.Errorf("log: %q", log.All())
	}
}

// C3: a proxy that answers watches in the server's place and lets lists through is one outage.
func TestC3ProxyAnswersWatches(t *testing.T) {
	r, log, clock := newTestLog()
	told := "WARNING API server https://10.96.0.1:443 cannot be reached, retrying: 502 Bad Gateway"
	for range 3 {
		for _, path := range []string{"/services", "/pods"} {
			r.reachable(path)
			r.unavailable(path+" watch", "502 Bad Gateway")
			r.Failed(t.Context(), "watch", services, apierrors.NewGenericServerResponse(502, "get", schema.GroupResource{}, "", "<html>", 0, true))
			clock.Step(patience)
		}
	}
	r.reachable("/services watch")
	log.Expect(t, told)
	r.reachable("/pods watch")
	log.Expect(t, told, "INFO API server https://10.96.0.1:443 answers again")

	// A request that is no longer sent does not count for ever.
	r.unavailable("/pods watch", "502 Bad Gateway")
	clock.Step(absence + time.Second)
	r.reachable("/services")
	if lines := log.All(); len(lines) != 4 || lines[3] != lines[1] {
		t.Errorf("log: %q", lines)
	}
}
