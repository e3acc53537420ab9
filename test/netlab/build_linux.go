package netlab

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BuildServer has make build the server at the path, which does nothing if it is
// as new as its sources. The repository is that of the working folder.
func BuildServer(binary string) error {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return err
	}
	cmd := exec.Command("make", "-s", "-C", string(root[:len(root)-1]), "build", "BIN="+binary)
	// The flags of a make above this test must not reach the one below it.
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKEOVERRIDES=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// ReadSources shows go test what the server is made of and what it reads: go test
// keeps a result for as long as what the test itself has read stays the same, and
// the server is no import.
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
