package resolvers

import (
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/wire"
)

// listen captures the questions from clients to the cluster's DNS, until the test ends.
// Every packet that is sent on this device has arrived.
func listen(t *testing.T) *wire.Wire {
	t.Helper()
	w, err := wire.Listen(dnsAddr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// drain returns the questions since the last call.
func drain(t *testing.T, w *wire.Wire) (questions []string) {
	t.Helper()
	all, err := w.Drain()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range all {
		questions = append(questions, q.String())
	}
	return questions
}
