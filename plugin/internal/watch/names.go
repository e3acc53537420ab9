package watch

import (
	"fmt"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/state"
)

// published describes which names are published. Equal Settings have equal texts.
func published(s publish.Settings) string {
	if s.Kinds == 0 {
		return ""
	}
	return fmt.Sprintf("%+v", s)
}

// publishedIn returns which names of a snapshot are published, or "" if not all of them are known.
func (k *keeper) publishedIn(s *cluster.Snapshot) string {
	if !s.NamesSynced() {
		return ""
	}
	return k.publish
}

// hasNames reports whether a file has the names that are to be published.
func (k *keeper) hasNames(f *state.File) bool {
	return k.publish != "" && f.Header.Published == k.publish
}
