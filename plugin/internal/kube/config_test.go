package kube

import (
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

// A path may contain any character but the zero byte, even a line break.
func TestManifestPathsAreKeptApart(t *testing.T) {
	paths := []string{"/a\nb", "/c d", "/e,f"}
	if got := (Config{Manifests: ManifestPaths(paths...)}).manifestPaths(); !slices.Equal(got, paths) {
		t.Errorf("%q, want %q", got, paths)
	}
	if ManifestPaths("/a\nb") == ManifestPaths("/a", "b") {
		t.Error("one path is taken for two")
	}
	folder := filepath.Join(t.TempDir(), "two\nlines")
	kubetest.Write(t, folder, map[string]string{"a.yaml": kubetest.WebService})
	if _, err := New(Config{Manifests: ManifestPaths(folder)}, Options{}); err != nil {
		t.Error(err)
	}
}

// A state of a watcher that keeps other objects is not used. Neither the connection nor published names matter.
func TestWatchedTellsObjectsApart(t *testing.T) {
	connection := []string{"Endpoint", "CertFile", "KeyFile", "CAFile", "Kubeconfig", "Context", "QPS", "Burst", "MaxInflight", "Manifests", "Published"}
	for field, value := range reflect.ValueOf(Config{}).Fields() {
		if field.Name == "stamp" {
			continue
		}
		var cfg Config
		switch set := reflect.ValueOf(&cfg).Elem().FieldByName(field.Name); value.Kind() {
		case reflect.Bool:
			set.SetBool(true)
		case reflect.String:
			set.SetString("x")
		case reflect.Int:
			set.SetInt(1)
		case reflect.Float32:
			set.SetFloat(1)
		case reflect.Struct:
			set.Set(reflect.ValueOf(publish.Settings{Kinds: publish.Ingresses}))
		default:
			t.Fatalf("%s is a %s", field.Name, value.Kind())
		}
		if same := cfg.Watched() == (Config{}).Watched(); same != slices.Contains(connection, field.Name) {
			t.Errorf("%s: watched the same is %v", field.Name, same)
		}
	}
}
