//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/lab"
)

// client is a Pod that asks the server.
type client struct {
	namespace, name string
	image           string
	spec            string // further fields of the Pod's spec, in JSON without the braces
}

// start starts the Pod and waits until it runs.
func (c client) start(t *testing.T) client {
	t.Helper()
	spec := ""
	if c.spec != "" {
		spec = ", " + c.spec
	}
	apply(t, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: %[1]s, namespace: %[2]s, labels: {app: %[1]s}}, spec: {
  terminationGracePeriodSeconds: 0, containers: [{name: client, image: %[3]q}]%[4]s}}`, c.name, c.namespace, c.image, spec))
	awaitReady(t, c.namespace, c.name)
	return c
}

// run runs a command in the Pod and returns its output.
func (c client) run(t *testing.T, command ...string) string {
	t.Helper()
	out, err := c.try(t.Context(), command...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c client) try(ctx context.Context, command ...string) (string, error) {
	return cluster.Exec(ctx, c.namespace, c.name, command...)
}

// eventuallyPrints repeats a command in the Pod until it prints these lines, in any order.
// A failed command prints nothing.
func (c client) eventuallyPrints(t *testing.T, want []string, command ...string) {
	t.Helper()
	eventually(t, func(ctx context.Context) error {
		out, err := c.try(ctx, command...)
		if err != nil {
			out = ""
		}
		return sameLines(out, want)
	})
}

func (c client) network(t *testing.T) lab.PodNetwork {
	t.Helper()
	network, err := cluster.PodNetwork(t.Context(), c.namespace, c.name)
	if err != nil {
		t.Fatal(err)
	}
	return network
}

func sameLines(out string, want []string) error {
	got := strings.Fields(out)
	missing := map[string]int{}
	for _, line := range want {
		missing[line]++
	}
	for _, line := range got {
		missing[line]--
	}
	for _, count := range missing {
		if count != 0 {
			return fmt.Errorf("printed %q, want %q", got, want)
		}
	}
	return nil
}
