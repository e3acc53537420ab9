// Package gomodule brings Go modules that no go.mod here requires: those with files that are not Go
// packages, and those that the checksum database does not know.
package gomodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// Module is a version of a module, and its hash as in go.sum. The hash takes the place of the
// checksum database.
type Module struct{ Version, Sum string }

// Download brings the module into the module cache, and returns its folder.
func (m Module) Download(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.Version)
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOSUMDB=off", "GOWORK=off")
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	var about struct{ Dir, Sum, Error string }
	if jsonErr := json.Unmarshal(out, &about); jsonErr == nil && about.Error != "" {
		return "", errors.New(about.Error)
	}
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", m.Version, err)
	}
	if about.Sum != m.Sum {
		return "", fmt.Errorf("%s has the hash %s, want %s", m.Version, about.Sum, m.Sum)
	}
	return about.Dir, nil
}
