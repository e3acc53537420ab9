package listwatch

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
	"github.com/clusterdns/clusterdns/test/kit/await"
)

var codecs = serializer.NewCodecFactory(newScheme()).WithoutConversion()

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(corev1.SchemeGroupVersion, new(corev1.Service), new(corev1.ServiceList))
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	return scheme
}

// servicesKind returns the kind that the listers of the tests list.
func servicesKind() Kind {
	return Kind{
		Name:      "Service",
		Logged:    apiserver.Kind{Name: "services", Resource: "services"},
		Labels:    labels.Everything(),
		Decode:    slimpb.Service,
		NewObject: func() runtime.Object { return new(corev1.Service) },
		NewList:   func() runtime.Object { return new(corev1.ServiceList) },
	}
}

// heldNames is a Store that keeps the names of a list.
type heldNames struct {
	Store // of the reflector, which a test does not run

	names  map[string]bool
	taken  chan<- string // what Begin, Put and Drop have taken; may be nil
	silent int
}

func (h *heldNames) Begin() {
	h.names = map[string]bool{}
	h.tell("")
}

func (h *heldNames) Put(obj metav1.Object) {
	h.names[obj.GetName()] = true
	h.tell(obj.GetName())
}

func (h *heldNames) Drop(obj metav1.Object) {
	delete(h.names, obj.GetName())
	h.tell(obj.GetName())
}

func (h *heldNames) Waive()  {}
func (h *heldNames) Silent() { h.silent++ }

func (h *heldNames) tell(name string) {
	if h.taken != nil {
		h.taken <- name
	}
}

// all returns the names, sorted.
func (h *heldNames) all() string {
	return strings.Join(slices.Sorted(maps.Keys(h.names)), " ")
}

func serviceObject(name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
}

// endOfList returns the bookmark that ends a streaming list.
func endOfList() *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		ResourceVersion: "10",
		Annotations:     map[string]string{metav1.InitialEventsAnnotationKey: "true"},
	}}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	await.True(t, 30*time.Second, what, condition)
}

// testClient makes a client of an API server.
func testClient(t *testing.T, url string, log apiserver.Logger, c clock.PassiveClock) *apiserver.Client {
	t.Helper()
	client, err := apiserver.New(apiserver.Config{Endpoint: url}, apiserver.Options{
		Log: log, Observe: func(apiserver.Request) {}, Clock: c, Silence: time.Minute, Renewals: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// servicesClients returns the clients for a lister of Services.
func servicesClients(t *testing.T, url string, c clock.PassiveClock) []rest.Interface {
	t.Helper()
	version := corev1.SchemeGroupVersion
	client, err := testClient(t, url, new(kubetest.Recorder), c).REST(version, slimpb.Codecs(codecs, version.WithKind("Service"), slimpb.Service))
	if err != nil {
		t.Fatal(err)
	}
	return []rest.Interface{client}
}

// newTestLister makes a lister of the Services of a server.
func newTestLister(t *testing.T, handler http.Handler) (*lister, *heldNames) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	l, held, _, clock := newStreamLister(t)
	l.clients = servicesClients(t, server.URL, clock)
	return l, held
}

// newStreamLister makes a lister that has no server.
func newStreamLister(t *testing.T) (*lister, *heldNames, *kubetest.Recorder, *clocktesting.FakeClock) {
	t.Helper()
	log, held, c := new(kubetest.Recorder), new(heldNames), clocktesting.NewFakeClock(time.Now())
	client := testClient(t, "https://10.96.0.1:443", log, c)
	l := NewServer(client, c, DefaultLimits).lister(servicesKind(), nil, held)
	l.redial, l.renew = func() {}, func() {}
	return l, held, log, c
}

// streamed are the options of a streaming list.
var streamed = metav1.ListOptions{SendInitialEvents: new(true)}
