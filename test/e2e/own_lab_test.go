//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/lab"
	"github.com/clusterdns/clusterdns/test/lab/remains"
)

// runInOwnLab brings the lab up, runs the tests and brings it down. It fails unless the
// machine is then as it was before.
func runInOwnLab(m *testing.M) (code int, err error) {
	if err := lab.Install(); err != nil {
		return 0, err
	}
	if err := runLab("down"); err != nil {
		return 0, err
	}
	before, err := takeRemains(context.Background())
	if err != nil {
		return 0, err
	}
	if err := runLab(append([]string{"up"}, strings.Fields(*labFlags)...)...); err != nil {
		return 0, err
	}
	code, err = runTests(m)
	return code, errors.Join(err, runLab("down"), awaitRemains(before))
}

func runLab(args ...string) error {
	began := time.Now()
	cmd := exec.Command(*labCommand, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	fmt.Printf("lab %s: %s\n", args, time.Since(began).Round(time.Second/10))
	return err
}

func takeRemains(ctx context.Context) (remains.State, error) {
	root, err := lab.Repository()
	if err != nil {
		return nil, err
	}
	return remains.Take(ctx, root)
}

// awaitRemains waits until the machine is as it was.
func awaitRemains(before remains.State) error {
	if err := remains.Await(context.Background(), before, takeRemains); err != nil {
		return err
	}
	fmt.Printf("the lab has left nothing: %d things are as before\n", len(before))
	return nil
}
