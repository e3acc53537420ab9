package kube

import (
	"fmt"
	"runtime"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/table"
)

// A cluster may have 50,000 Pods that all have a dnsConfig, from one policy of the cluster.
// They take at most four megabytes of the live heap.
func TestPodsAreSmall(t *testing.T) {
	const count, limit = 50_000, 4 << 20
	store := cluster.NewStore()
	pods := table.New(podKey, (*cluster.Pod).Same, (*cluster.Txn).ReplacePod)
	c := newConverter(Config{Pods: true})
	before := int64(clustertest.Heap())
	for i := 0; i < count; i += 500 {
		txn := store.Begin()
		for j := i; j < i+500; j++ {
			pod := c.Pod(manyPod(j))
			pods.Put(txn, podKey(pod), pod)
		}
		txn.Commit()
	}
	if got := int64(clustertest.Heap()) - before; got > limit {
		t.Errorf("%d Pods take %d bytes, want at most %d", count, got, limit)
	}
	if got := store.Load().Counts().PodAddresses; got != count {
		t.Errorf("%d addresses are held, want %d", got, count)
	}
	runtime.KeepAlive(pods)
	runtime.KeepAlive(c)
}

// manyPod returns one of many Pods of a cluster.
func manyPod(i int) *corev1.Pod {
	ndots := "2"
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: fmt.Sprintf("namespace-%d", i%200),
			Name:      fmt.Sprintf("deployment-%d-7d8f9c6b5-x%05d", i%1000, i),
			UID:       "00000000-0000-0000-0000-000000000000",
		},
		Spec: corev1.PodSpec{
			DNSPolicy: corev1.DNSClusterFirst,
			DNSConfig: &corev1.PodDNSConfig{Searches: []string{"team.example"}, Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: &ndots}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: fmt.Sprintf("10.%d.%d.%d", 64+i>>16, i>>8&255, i&255)}}},
	}
}
