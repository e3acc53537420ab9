package manifest

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

const shopImportedSlice = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-east
  namespace: shop
  labels: {multicluster.kubernetes.io/service-name: web, multicluster.kubernetes.io/source-cluster: east}
addressType: IPv4
endpoints: [{addresses: [10.2.0.1]}]
`

type config struct {
	paths   []string // a folder of the test's own, if there are none
	imports bool
	publish []publish.Kind
	kinds   []string // of a Corefile with nothing further if there are none
}

// files is a folder of manifests with a Follower that has read them. The test triggers each
// look.
type files struct {
	t        *testing.T
	folder   string
	log      *kubetest.Recorder
	failures int
	follower *Follower[string]
	objects  map[string]bool
}

// serve starts a Follower with the given files.
func serve(t *testing.T, cfg config, contents map[string]string) *files {
	t.Helper()
	f := &files{t: t, folder: t.TempDir(), log: new(kubetest.Recorder)}
	kubetest.Write(t, f.folder, contents)
	if cfg.paths == nil {
		cfg.paths = []string{f.folder}
	}
	f.follower = follower(cfg, f.log, func() { f.failures++ })
	all, err := f.follower.Load()
	if err != nil {
		t.Fatal(err)
	}
	f.take(all)
	return f
}

func follower(cfg config, log Logger, failed func()) *Follower[string] {
	if cfg.kinds == nil {
		cfg.kinds = []string{"Service", "Namespace", "EndpointSlice"}
	}
	if cfg.imports {
		cfg.kinds = append(cfg.kinds, "ServiceImport")
	}
	return New(Options[string]{
		Paths: cfg.paths, Kinds: cfg.kinds, Published: cfg.publish, Convert: describe, Log: log,
		Failed: failed, Begin: func() {}, End: func() {},
		Clock: clocktesting.NewFakeClock(time.Now().Add(time.Hour)),
	})
}

// load returns the error of the first reading.
func load(paths ...string) error {
	_, err := follower(config{paths: paths}, new(kubetest.Recorder), func() {}).Load()
	return err
}

// describe returns a text of an object that has what DNS knows of it.
func describe(kind string, api metav1.Object) string {
	c := convert.New(convert.Settings{})
	text := kind + " " + api.GetNamespace() + "/" + api.GetName()
	switch api := api.(type) {
	case *corev1.Service:
		s := c.Service(api)
		return fmt.Sprintf("%s%v%s", text, s.ClusterIPs, s.Target)
	case *corev1.Pod:
		return fmt.Sprintf("%s%v", text, convert.PodIPs(&api.Status))
	case *discoveryv1.EndpointSlice:
		return fmt.Sprintf("%s[%v]", text, c.Slice(api) != nil)
	}
	return text
}

func (f *files) take(all []string) {
	f.objects = make(map[string]bool)
	for _, object := range all {
		f.objects[object] = true
	}
}

// look makes the Follower look at the files once.
func (f *files) look() {
	if all, ok := f.follower.Look(f.t.Context()); ok {
		f.take(all)
	}
}

// settle makes the Follower look until it has seen that the files no longer change.
func (f *files) settle() {
	f.look()
	f.look()
}

// expect checks that an object is there.
func (f *files) expect(object string) {
	f.t.Helper()
	if !f.objects[object] {
		f.t.Errorf("there is no %s, but %q", object, slices.Sorted(maps.Keys(f.objects)))
	}
}

// expectNone checks that no object begins with a prefix.
func (f *files) expectNone(prefix string) {
	f.t.Helper()
	for object := range f.objects {
		if strings.HasPrefix(object, prefix) {
			f.t.Errorf("there is %s", object)
		}
	}
}

func (f *files) path(name string) string { return filepath.Join(f.folder, name) }
