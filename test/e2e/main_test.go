//go:build e2e

package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	utilrand "k8s.io/apimachinery/pkg/util/rand"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/lab"
)

// patience is how long a change may take: on a busy machine, and after an outage of the API
// server, whose clients wait up to a minute before they try again.
const patience = 4 * time.Minute

// cluster is the lab that all tests use.
var cluster *lab.Lab

// labCommand is the path of the lab command, if the tests must bring the lab up and down.
var labCommand = flag.String("lab", "", "the `path` of the lab command, to bring the lab up before the tests, down after them, and fail if anything is left")

// labFlags are flags for that command.
var labFlags = flag.String("lab-flags", "", "`flags` of lab up, separated by spaces")

func TestMain(m *testing.M) {
	flag.Parse()
	run := runTests
	if *labCommand != "" {
		run = runInOwnLab
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	if cluster, err = lab.Connect(context.Background()); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// eventually repeats the check until it succeeds, and ends the test if it does not
// in time.
func eventually(t *testing.T, check func(context.Context) error) {
	t.Helper()
	await.Success(t, 100*time.Millisecond, patience, check)
}

// newNamespace makes a Namespace for Pods. It is deleted some time after the test.
func newNamespace(t *testing.T, name string) string {
	t.Helper()
	name += "-" + utilrand.String(4)
	apply(t, "{apiVersion: v1, kind: Namespace, metadata: {name: "+name+"}}")
	awaitAccount(t, name)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := cluster.Kubectl(ctx, "delete", "namespace", name, "--wait=false"); err != nil {
			t.Error(err)
		}
	})
	return name
}

// awaitAccount waits for the ServiceAccount that Pods need. The controller manager makes
// it, late if the API server was away.
func awaitAccount(t *testing.T, namespace string) {
	t.Helper()
	eventually(t, func(ctx context.Context) error {
		_, err := cluster.Kubectl(ctx, "get", "serviceaccount", "default", "--namespace", namespace)
		return err
	})
}

func apply(t *testing.T, manifest string) {
	t.Helper()
	if err := cluster.Apply(t.Context(), manifest); err != nil {
		t.Fatal(err)
	}
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := cluster.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func awaitReady(t *testing.T, namespace, pod string) {
	t.Helper()
	kubectl(t, "wait", "--namespace", namespace, "--for=condition=Ready", "pod/"+pod, "--timeout="+patience.String())
}
