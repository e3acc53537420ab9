package netlab

import (
	"fmt"
	"os"
	"os/exec"
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
