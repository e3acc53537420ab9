package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/lab/node"
)

// Import imports an archive into the containerd of each node, unless it has been imported before.
func (l *Lab) Import(ctx context.Context, archive string) (digest string, err error) {
	if digest, err = digestFile(archive); err != nil {
		return "", err
	}
	note := filepath.Join(string(l.dir), "imported", digest)
	if _, err := os.Stat(note); !errors.Is(err, fs.ErrNotExist) {
		return digest, err
	}
	if err := l.ctr(ctx, "images", "import", archive); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(note), 0o755); err != nil {
		return "", err
	}
	return digest, os.WriteFile(note, nil, 0o644)
}

// Tag gives an imported image another name beside its own.
func (l *Lab) Tag(ctx context.Context, image, name string) error {
	return l.ctr(ctx, "images", "tag", "--force", image, name)
}

// ctr runs containerd's client on each node, in the namespace that kubelet uses.
func (l *Lab) ctr(ctx context.Context, args ...string) error {
	binaries, err := controlplane.Build(ctx, "ctr")
	if err != nil {
		return err
	}
	for _, n := range l.nodes {
		args := append([]string{"--address", n.HostPath(node.ContainerdSocket), "--namespace", "k8s.io"}, args...)
		if out, err := exec.CommandContext(ctx, binaries["ctr"], args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ctr %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// digestFile returns the first digits of the file's hash, enough to distinguish images.
func digestFile(path string) (string, error) {
	content, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer content.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, content); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}
