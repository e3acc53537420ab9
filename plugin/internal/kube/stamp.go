package kube

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
)

// Stamped returns c with a hash of its credential files. A reload shares the Watcher of the
// previous instance only if these files have not changed: a new kubeconfig under the old
// path may mean another API server.
//
// A file that cannot be read counts as empty; New reports the error.
func (c Config) Stamped() Config {
	paths := []string{c.Kubeconfig, c.CertFile, c.KeyFile, c.CAFile}
	if strings.Join(paths, "") == "" {
		return c
	}
	hash := sha256.New()
	for _, path := range paths {
		var text []byte
		if path != "" {
			text, _ = os.ReadFile(path)
		}
		fmt.Fprintf(hash, "%d %s", len(text), text)
	}
	c.stamp = [sha256.Size]byte(hash.Sum(nil))
	return c
}
