package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	freshName = "scale-fresh" // of objects that are made to see whether they arrive
	freshPoll = 2 * time.Millisecond
	// freshTimeout has room for clients that wait half a minute before they ask an
	// API server again.
	freshTimeout = 3 * time.Minute
)

// measureRelist takes the API server and its memory of versions away, and
// measures what getting all objects again costs.
func (l *life) measureRelist(ctx context.Context) error {
	before, err := readUsage(l.server.pid)
	if err != nil {
		return err
	}
	if err := resetPeak(l.server.pid); err != nil {
		return err
	}
	l.peak.reset()
	asker := startAsker(ctx, l.server.dns, l.steady)
	err = l.relist(ctx)
	asked := asker.stop()
	if err != nil {
		return err
	}
	after, err := readUsage(l.server.pid)
	if err != nil {
		return err
	}
	l.addBytes("relist: RSS before", before.rss)
	l.addBytes("relist: peak RSS", after.peak)
	l.addBytes("relist: peak of its anonymous part", l.peak.read())
	l.addBytes("relist: RSS after", after.rss)
	l.addBytes("relist: read", after.read-before.read)
	l.add("relist: CPU, s", after.cpu.since(before.cpu).used.Seconds())
	l.add("relist: questions asked", float64(asked.asked))
	l.add("relist: wrong answers", float64(asked.wrong))
	l.add("relist: no answer", float64(asked.unanswered))
	l.addMillis("relist: slowest answer", asked.slowest)
	return nil
}

func (l *life) relist(ctx context.Context) error {
	if err := l.cluster.Compact(ctx); err != nil {
		return err
	}
	if err := l.cluster.RestartAPIServer(ctx); err != nil {
		return err
	}
	up := time.Now()
	if err := l.awaitFresh(ctx); err != nil {
		return err
	}
	l.add("relist: fresh after the API server is ready, s", time.Since(up).Seconds())
	_, err := awaitQuiet(ctx, l.server.pid)
	return err
}

// awaitFresh waits until a change of each kind of object is seen.
func (l *life) awaitFresh(ctx context.Context) (err error) {
	address, err := l.changeEndpoint(ctx)
	if err != nil {
		return err
	}
	questions := []question{{l.changingQuestion(), address}}
	defer func() { err = errors.Join(err, l.removeFresh(context.WithoutCancel(ctx))) }()
	made, err := l.makeFresh(ctx)
	if err != nil {
		return err
	}
	for _, q := range append(questions, made...) {
		if err := l.dns.await(ctx, freshTimeout, freshPoll, q.qname, q.want); err != nil {
			return err
		}
	}
	return nil
}

// makeFresh makes a Service, and a Pod where Pods can be seen.
func (l *life) makeFresh(ctx context.Context) ([]question, error) {
	clusterIP := addressAt(firstClusterIP, maxServices).String()
	_, err := l.client.CoreV1().Services(metav1.NamespaceDefault).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: freshName},
		Spec:       corev1.ServiceSpec{ClusterIP: clusterIP, Ports: ports},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("making a Service: %w", err)
	}
	questions := []question{{serviceQuestion(freshName, metav1.NamespaceDefault), clusterIP}}
	if !l.verified {
		return questions, nil
	}
	address := firstFresh.String()
	if err := createPod(ctx, l.client, newPod(metav1.NamespaceDefault, freshName, address)); err != nil {
		return nil, fmt.Errorf("making a Pod: %w", err)
	}
	return append(questions, question{podQuestion(address, metav1.NamespaceDefault), address}), nil
}

// removeFresh makes room for the next life.
func (l *life) removeFresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
	core := l.client.CoreV1()
	for _, remove := range []func(context.Context, string, metav1.DeleteOptions) error{
		core.Services(metav1.NamespaceDefault).Delete, core.Pods(metav1.NamespaceDefault).Delete,
	} {
		if err := remove(ctx, freshName, now); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
