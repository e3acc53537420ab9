package netlab

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BuildServer builds the server at the path with make, which does nothing if the binary is
// newer than its sources. The repository is that of the working folder.
func BuildServer(binary string) error {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return err
	}
	cmd := exec.Command("make", "-s", "-C", string(root[:len(root)-1]), "build", "BIN="+binary)
	// The flags of an outer make must not reach the inner one.
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKEOVERRIDES=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// ReadSources reads the sources of the server and the files that it reads. go test caches a
// result as long as the files that the test itself has read do not change, and the server
// is not an import.
func ReadSources(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"../../go.mod", "../../Makefile", "../../cmd", "../../plugin", "../../deploy/demo"} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
