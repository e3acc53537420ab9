package apiserver

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
)

// Stamp is a hash of the files with credentials.
type Stamp [sha256.Size]byte

// Stamp returns the hash of the files that c names now, since a new kubeconfig under the old path may
// mean another API server. It is zero without files. One that cannot be read counts as empty:
// whoever connects reports the error.
func (c Config) Stamp() Stamp {
	paths := []string{c.Kubeconfig, c.CertFile, c.KeyFile, c.CAFile}
	if strings.Join(paths, "") == "" {
		return Stamp{}
	}
	hash := sha256.New()
	for _, path := range paths {
		var text []byte
		if path != "" {
			text, _ = os.ReadFile(path)
		}
		fmt.Fprintf(hash, "%d %s", len(text), text)
	}
	return Stamp(hash.Sum(nil))
}
