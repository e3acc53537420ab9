package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// changeTimeout is how long one change may take to be seen. It has room for an
// API server that has just been restarted.
const changeTimeout = time.Minute

// changingQuestion is the name of the endpoint whose address changes.
func (b *bench) changingQuestion() string {
	s := b.shape
	service := s.changing()
	from, _ := s.endpoints(service)
	return s.podName(from) + "." + s.question(service)
}

// changeEndpoint gives the endpoint an address that it has not had yet, and
// returns the address.
func (b *bench) changeEndpoint(ctx context.Context) (string, error) {
	b.changed++
	address := addressAt(firstChanged, b.changed).String()
	patch := fmt.Sprintf(`[{"op":"replace","path":"/endpoints/0/addresses/0","value":%q}]`, address)
	service := b.shape.changing()
	_, err := b.client.DiscoveryV1().EndpointSlices(b.shape.namespaceOfService(service)).
		Patch(ctx, b.shape.sliceName(service, 0), types.JSONPatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		return "", fmt.Errorf("changing an endpoint: %w", err)
	}
	return address, nil
}

// measureChanges times each change from the API server's answer to DNS's.
func (l *life) measureChanges(ctx context.Context) error {
	qname := l.changingQuestion()
	times := make([]time.Duration, l.changes)
	for i := range times {
		address, err := l.changeEndpoint(ctx)
		if err != nil {
			return err
		}
		began := time.Now()
		if err := l.dns.await(ctx, changeTimeout, 0, qname, address); err != nil {
			return err
		}
		times[i] = time.Since(began)
	}
	slices.Sort(times)
	l.addMillis("change seen after, p50", percentile(times, 50))
	l.addMillis("change seen after, p99", percentile(times, 99))
	l.addMillis("change seen after, worst", times[len(times)-1])
	return nil
}

// measureChangeCost makes the same changes again while nobody asks.
func (l *life) measureChangeCost(ctx context.Context) error {
	before, err := readCPU(l.server.pid)
	if err != nil {
		return err
	}
	began := time.Now()
	var address string
	for range l.changes {
		if address, err = l.changeEndpoint(ctx); err != nil {
			return err
		}
	}
	took := time.Since(began)
	if err := l.dns.await(ctx, changeTimeout, time.Millisecond, l.changingQuestion(), address); err != nil {
		return err
	}
	after, err := readCPU(l.server.pid)
	if err != nil {
		return err
	}
	changes := float64(l.changes)
	l.add("CPU per change, µs", float64(after.since(before).used.Microseconds())/changes)
	l.add("changes made, 1/s", changes/took.Seconds())
	return nil
}
